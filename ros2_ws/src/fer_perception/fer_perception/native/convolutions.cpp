// SPDX-License-Identifier: Apache-2.0
// A chain of 3 x 3 convolutions by Winograd's method, called from native_convolutions.py through
// ctypes. Each is padded by one pixel and followed by a ReLU and, where it says so, by the largest
// of 2 x 2 pixels.
//
// Maps are stored pixel by pixel (height, width, channels) with a border of zeros.

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels.h"

namespace {

using fer::Kernels;
using fer::Winograd;

// Channels are padded to whole vectors.
constexpr int kVector = 16;
// So many tiles at once that what is computed of them stays in the cache.
constexpr int kTiles = 36;
// Faces whose maps are held at once; the weights of the last layers are read once for all.
constexpr int kGroup = 8;

struct Map {
  int height = 0, width = 0, channels = 0;
  int full_height = 0, full_width = 0;  // with the border, and as far as the last tiles reach
  std::vector<float> values;

  long pitch() const { return static_cast<long>(full_width) * channels; }
  long size() const { return full_height * pitch(); }
  float* inner(int image, int y, int x) {
    return values.data() + image * size() + (y + 1) * pitch() + static_cast<long>(x + 1) * channels;
  }
};

struct Convolution {
  int inputs, outputs;
  bool pooled;
  const Winograd* method;
  int tile_rows, tile_columns;
  std::vector<float> weights;  // position of the tile, panel, input, output within the panel
  std::vector<float> bias;
};

// The factors by which a 3 x 3 kernel becomes in x in numbers.
const float kFactors4[4][3] = {{1, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.5f, -0.5f, 0.5f}, {0, 0, 1}};
const float kFactors6[6][3] = {{1.0f / 4, 0, 0},
                               {-1.0f / 6, -1.0f / 6, -1.0f / 6},
                               {-1.0f / 6, 1.0f / 6, -1.0f / 6},
                               {1.0f / 24, 1.0f / 12, 1.0f / 6},
                               {1.0f / 24, -1.0f / 12, 1.0f / 6},
                               {0, 0, 1}};

class Convolutions {
 public:
  // For each layer: inputs, outputs, pooled; 3 x 3 x inputs x outputs weights, outputs biases.
  Convolutions(const float* weights, const int* shapes, int layers, int height, int width,
               const Kernels* kernels)
      : kernels_(*kernels), maps_(layers + 1) {
    for (int i = 0; i < layers; ++i, shapes += 3) {
      Convolution layer{};
      layer.inputs = (shapes[0] + kVector - 1) / kVector * kVector;
      layer.outputs = shapes[1];
      layer.pooled = shapes[2];
      const auto multiplications = [&](const Winograd& method) {
        return ((height + method.out - 1) / method.out) * ((width + method.out - 1) / method.out) *
               method.in * method.in;
      };
      const Winograd* methods = kernels_.winograd;
      layer.method = methods + (multiplications(methods[1]) < multiplications(methods[0]));
      const int tile = layer.method->out;
      layer.tile_rows = (height + tile - 1) / tile;
      layer.tile_columns = (width + tile - 1) / tile;
      pack(weights, shapes[0], &layer);
      weights += 9L * shapes[0] * shapes[1];
      layer.bias.assign(weights, weights + shapes[1]);
      weights += shapes[1];
      resize(&maps_[i], height, width, layer.inputs, layer.tile_rows * tile + 2,
             layer.tile_columns * tile + 2);
      layers_.push_back(std::move(layer));
      if (shapes[2]) height /= 2, width /= 2;
      if (i + 1 == layers) resize(&maps_[layers], height, width, shapes[1], height + 2, width + 2);
    }
    inputs_ = shapes[-3 * layers];
  }

  // count maps of height x width x inputs to as many of the last layer's size.
  void run(const float* in, int count, float* out) {
    for (int first = 0; first < count; first += kGroup) {
      const int group = std::min(kGroup, count - first);
      for (Map& map : maps_)
        if (map.values.size() < static_cast<size_t>(group * map.size()))
          map.values.resize(group * map.size());
      Map& start = maps_.front();
      for (int i = 0; i < group; ++i)
        for (int y = 0; y < start.height; ++y)
          for (int x = 0; x < start.width; ++x, in += inputs_)
            std::copy_n(in, inputs_, start.inner(i, y, x));
      for (size_t i = 0; i < layers_.size(); ++i)
        convolve(layers_[i], group, &maps_[i], &maps_[i + 1]);
      Map& end = maps_.back();
      const long row = static_cast<long>(end.width) * end.channels;
      for (int i = 0; i < group; ++i)
        for (int y = 0; y < end.height; ++y, out += row) std::copy_n(end.inner(i, y, 0), row, out);
    }
  }

 private:
  static void resize(Map* map, int height, int width, int channels, int full_height,
                     int full_width) {
    map->height = height, map->width = width, map->channels = channels;
    map->full_height = full_height, map->full_width = full_width;
  }

  void pack(const float* weights, int inputs, Convolution* layer) const {
    const int in = layer->method->in, panel = kernels_.panel;
    const float(*factors)[3] = in == 4 ? kFactors4 : kFactors6;
    const long block = static_cast<long>(layer->inputs) * layer->outputs;
    layer->weights.assign(in * in * block, 0.0f);
    for (int i = 0; i < inputs; ++i)
      for (int o = 0; o < layer->outputs; ++o) {
        const float* kernel = weights + static_cast<long>(i) * layer->outputs + o;
        const long step = static_cast<long>(inputs) * layer->outputs;
        float* packed = layer->weights.data() + o / panel * panel * layer->inputs + i * panel +
                        o % panel;
        for (int y = 0; y < in; ++y)
          for (int x = 0; x < in; ++x) {
            double sum = 0.0;
            for (int v = 0; v < 3; ++v)
              for (int u = 0; u < 3; ++u)
                sum += static_cast<double>(factors[y][v]) * factors[x][u] *
                       kernel[(3 * v + u) * step];
            packed[(y * in + x) * block] = static_cast<float>(sum);
          }
      }
  }

  void convolve(const Convolution& layer, int images, Map* in, Map* out) {
    const Winograd& method = *layer.method;
    const int positions = method.in * method.in, panel = kernels_.panel;
    const int in_image = layer.tile_rows * layer.tile_columns, total = images * in_image;
    const int side = layer.pooled ? method.out / 2 : method.out;
    // A little apart from powers of two, which would fall on the same lines of the cache.
    const long in_step = kTiles * layer.inputs + kVector, out_step = kTiles * layer.outputs + kVector;
    transformed_.resize(positions * in_step);
    products_.resize(positions * out_step);
    for (int first = 0; first < total; first += kTiles) {
      const int tiles = std::min(kTiles, total - first);
      for (int t = 0; t < tiles; ++t) {
        const int image = (first + t) / in_image, tile = (first + t) % in_image;
        const int y = tile / layer.tile_columns * method.out;
        const int x = tile % layer.tile_columns * method.out;
        method.transform(in->inner(image, y - 1, x - 1), in->pitch(), layer.inputs,
                         transformed_.data() + t * layer.inputs, in_step);
      }
      const float* weights = layer.weights.data();
      for (int p = 0; p < positions; ++p)
        for (int o = 0; o < layer.outputs; o += panel, weights += panel * layer.inputs)
          kernels_.multiply(transformed_.data() + p * in_step, tiles, layer.inputs, weights,
                            products_.data() + p * out_step + o, layer.outputs);
      for (int t = 0; t < tiles; ++t) {
        const int image = (first + t) / in_image, tile = (first + t) % in_image;
        const int y = tile / layer.tile_columns * side, x = tile % layer.tile_columns * side;
        method.restore(products_.data() + t * layer.outputs, out_step, layer.outputs, layer.bias.data(),
                       layer.pooled, std::min(side, out->height - y),
                       std::min(side, out->width - x), out->inner(image, y, x), out->pitch());
      }
    }
  }

  const Kernels& kernels_;
  int inputs_;
  std::vector<Convolution> layers_;
  std::vector<Map> maps_;
  std::vector<float> transformed_, products_;
};

}  // namespace

extern "C" {

EXPORTED void* fer_convolutions_new(const float* weights, const int* shapes, int layers, int height,
                                    int width, const char* instructions) {
  return new Convolutions(weights, shapes, layers, height, width, fer::kernels_for(instructions));
}

EXPORTED void fer_convolutions_delete(void* chain) { delete static_cast<Convolutions*>(chain); }

EXPORTED void fer_convolutions_run(void* chain, const float* in, int count, float* out) {
  static_cast<Convolutions*>(chain)->run(in, count, out);
}
}
