// SPDX-License-Identifier: Apache-2.0
// A chain of 3 x 3 convolutions, called from native_convolutions.py through ctypes. Each is padded
// by one pixel and followed by a ReLU and, where it says so, by the largest of 2 x 2 pixels.

#include <algorithm>
#include <vector>

#include "winograd.h"

namespace {

using fer::Kernels;
using fer::Layer;
using fer::Maps;
using fer::WinogradConvolution;

// Faces whose maps are held at once; the weights of the last layers are read once for all.
constexpr int kGroup = 8;
// Vectors may be read this far beyond a map's end.
constexpr int kSlack = 16;

class Chain {
 public:
  // For each layer: inputs, outputs, pooled; 3 x 3 x inputs x outputs weights, outputs biases.
  Chain(const float* weights, const int* shapes, int layers, int height, int width,
        const Kernels& kernels) {
    for (int i = 0; i < layers; ++i, shapes += 3) {
      const int inputs = shapes[0], outputs = shapes[1];
      const bool pooled = shapes[2];
      const float* bias = weights + 9L * inputs * outputs;
      parameters_.emplace_back(bias, bias + outputs);
      parameters_.back().resize(2 * outputs);  // a ReLU is a PReLU with slopes of 0
      const float* kept = parameters_.back().data();
      const Layer layer{3, 3, inputs, outputs, outputs, weights, kept, kept + outputs};
      links_.push_back({{kernels, layer, height, width}, pooled});
      borders_.emplace_back(nullptr, height + 2, width + 2, inputs);
      weights = bias + outputs;
      if (pooled) height /= 2, width /= 2;
      if (i + 1 == layers) borders_.emplace_back(nullptr, height + 2, width + 2, outputs);
    }
    storage_.resize(borders_.size());
  }

  // count maps of height x width x inputs to as many of the last layer's size.
  void run(const float* in, int count, float* out) {
    for (int first = 0; first < count; first += kGroup) {
      const int group = std::min(kGroup, count - first);
      for (size_t i = 0; i < borders_.size(); ++i) {
        const size_t size = group * borders_[i].size + kSlack;
        if (storage_[i].size() < size) storage_[i].resize(size);
        borders_[i].values = storage_[i].data();
      }
      const Maps start = borders_.front().inside(), end = borders_.back().inside();
      const int in_row = start.width * start.channels, out_row = end.width * end.channels;
      for (int i = 0; i < group; ++i)
        for (int y = 0; y < start.height; ++y, in += in_row)
          std::copy_n(in, in_row, start.at(i, y, 0));
      for (size_t i = 0; i < links_.size(); ++i)
        links_[i].convolution.run(borders_[i], group, links_[i].pooled, borders_[i + 1].inside());
      for (int i = 0; i < group; ++i)
        for (int y = 0; y < end.height; ++y, out += out_row)
          std::copy_n(end.at(i, y, 0), out_row, out);
    }
  }

 private:
  struct Link {
    WinogradConvolution convolution;
    bool pooled;
  };

  std::vector<Link> links_;
  std::vector<std::vector<float>> parameters_, storage_;
  std::vector<Maps> borders_;  // what the layers read and write, each with a border of zeros
};

}  // namespace

extern "C" {

EXPORTED void* fer_convolutions_new(const float* weights, const int* shapes, int layers, int height,
                                    int width, const char* instructions) {
  return new Chain(weights, shapes, layers, height, width, *fer::kernels_for(instructions));
}

EXPORTED void fer_convolutions_delete(void* chain) { delete static_cast<Chain*>(chain); }

EXPORTED void fer_convolutions_run(void* chain, const float* in, int count, float* out) {
  static_cast<Chain*>(chain)->run(in, count, out);
}
}
