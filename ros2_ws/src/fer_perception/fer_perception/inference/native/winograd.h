// SPDX-License-Identifier: Apache-2.0
// A 3 x 3 convolution by Winograd's method (Lavin and Gray 2016, "Fast Algorithms for Convolutional
// Neural Networks"): for 4 x 4 outputs 36 multiplications do instead of 144, for 2 x 2 16 instead
// of 36.

#ifndef FER_PERCEPTION_WINOGRAD_H_
#define FER_PERCEPTION_WINOGRAD_H_

#include <algorithm>
#include <vector>

#include "kernels.h"

namespace fer {

// Maps of one size, pixel by pixel (height, width, channels). Vectors may be read beyond the last.
struct Maps {
  float* values;
  int height, width, channels;
  long pitch, size;  // floats from one row and from one map to the next

  Maps(float* values, int height, int width, int channels)
      : values(values),
        height(height),
        width(width),
        channels(channels),
        pitch(static_cast<long>(width) * channels),
        size(height * pitch) {}

  float* at(int map, int y, int x) const {
    return values + map * size + y * pitch + static_cast<long>(x) * channels;
  }
  // The same maps without their first and last rows and columns.
  Maps inside() const {
    Maps part = *this;
    part.values = at(0, 1, 1);
    part.height -= 2, part.width -= 2;
    return part;
  }
};

class WinogradConvolution {
 public:
  // The layer's outputs are a multiple of 16; its bias and slopes must outlive this. The size of the
  // tiles is the better one for an output of height x width.
  WinogradConvolution(const Kernels& kernels, const Layer& layer, int height, int width)
      : kernels_(kernels),
        layer_(layer),
        inputs_(padded(layer.inputs, kVector)),
        outputs_(padded(layer.outputs, kernels.panel)) {
    const auto multiplications = [&](const Winograd& method) {
      return tiles(height, method) * tiles(width, method) * method.in * method.in;
    };
    const Winograd* methods = kernels.winograd;
    method_ = methods + (multiplications(methods[1]) < multiplications(methods[0]));
    pack();
  }

  // What a thread computes in between, kept for its next call.
  struct Scratch {
    std::vector<float> transformed, products;
  };

  // Reads from the first pixel of each map, writes as many pixels as out is high and wide.
  void run(const Maps& in, int count, bool pooled, const Maps& out, Scratch& scratch) const {
    const Winograd& method = *method_;
    const int positions = method.in * method.in, panel = kernels_.panel;
    const int side = pooled ? method.out / 2 : method.out;
    const int tile_columns = (out.width + side - 1) / side;
    const int in_map = (out.height + side - 1) / side * tile_columns, total = count * in_map;
    // A little apart from powers of two, which would fall on the same lines of the cache.
    const long in_step = kTiles * inputs_ + kVector, out_step = kTiles * outputs_ + kVector;
    scratch.transformed.resize(positions * in_step);
    scratch.products.resize(positions * out_step);
    float* const transformed = scratch.transformed.data();
    float* const products = scratch.products.data();
    for (int first = 0; first < total; first += kTiles) {
      const int batch = std::min(kTiles, total - first);
      for (int t = 0; t < batch; ++t) {
        const int map = (first + t) / in_map, tile = (first + t) % in_map;
        const int y = tile / tile_columns * method.out, x = tile % tile_columns * method.out;
        method.transform(in.at(map, y, x), in.pitch, in.channels, in.height - y, in.width - x,
                         inputs_, transformed + t * inputs_, in_step);
      }
      const float* weights = weights_.data();
      for (int p = 0; p < positions; ++p)
        for (int o = 0; o < outputs_; o += panel, weights += panel * inputs_)
          kernels_.multiply(transformed + p * in_step, batch, inputs_, weights,
                            products + p * out_step + o, outputs_);
      for (int t = 0; t < batch; ++t) {
        const int map = (first + t) / in_map, tile = (first + t) % in_map;
        const int y = tile / tile_columns * side, x = tile % tile_columns * side;
        method.restore(products + t * outputs_, out_step, layer_.outputs, layer_.bias,
                       layer_.slopes, pooled, std::min(side, out.height - y),
                       std::min(side, out.width - x), out.at(map, y, x), out.pitch);
      }
    }
  }

 private:
  static constexpr int kVector = 16;
  // So many tiles at once that what is computed of them stays in the cache.
  static constexpr int kTiles = 36;

  static int padded(int channels, int to) { return (channels + to - 1) / to * to; }
  static int tiles(int pixels, const Winograd& method) {
    return (pixels + method.out - 1) / method.out;
  }

  // Turns each 3 x 3 kernel into in x in numbers, stored by position in the tile, panel, input and
  // output within the panel.
  void pack() {
    static const double factors2[4][3] = {{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}};
    static const double factors4[6][3] = {
        {1. / 4, 0, 0},          {-1. / 6, -1. / 6, -1. / 6}, {-1. / 6, 1. / 6, -1. / 6},
        {1. / 24, 1. / 12, 1. / 6}, {1. / 24, -1. / 12, 1. / 6}, {0, 0, 1}};
    const int in = method_->in, panel = kernels_.panel;
    const double(*factors)[3] = method_->out == 2 ? factors2 : factors4;
    const long block = static_cast<long>(inputs_) * outputs_;
    const long step = static_cast<long>(layer_.inputs) * layer_.padded_outputs;
    weights_.assign(in * in * block, 0.0f);
    for (int i = 0; i < layer_.inputs; ++i)
      for (int o = 0; o < layer_.outputs; ++o) {
        const float* kernel = layer_.weights + static_cast<long>(i) * layer_.padded_outputs + o;
        float* packed = weights_.data() + o / panel * panel * inputs_ + i * panel + o % panel;
        for (int y = 0; y < in; ++y)
          for (int x = 0; x < in; ++x) {
            double sum = 0.0;
            for (int v = 0; v < 3; ++v)
              for (int u = 0; u < 3; ++u)
                sum += factors[y][v] * factors[x][u] * kernel[(3 * v + u) * step];
            packed[(y * in + x) * block] = static_cast<float>(sum);
          }
      }
  }

  const Kernels& kernels_;
  const Layer layer_;
  const Winograd* method_;
  int inputs_, outputs_;
  std::vector<float> weights_;
};

}  // namespace fer

#endif
