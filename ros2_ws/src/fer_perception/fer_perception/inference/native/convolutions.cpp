// SPDX-License-Identifier: Apache-2.0
// A chain of 3 x 3 convolutions, called from native_convolutions.py through ctypes. Each is padded
// by one pixel and followed by a ReLU and, where it says so, by the largest of 2 x 2 pixels.

#include <algorithm>
#include <system_error>
#include <thread>
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
  }

  // count maps of height x width x inputs to as many of the last layer's size, shared out among
  // the threads.
  void run(const float* in, int count, float* out, int threads) {
    threads = std::max(1, std::min(threads, count));
    while (static_cast<int>(workers_.size()) < threads)
      workers_.push_back({std::vector<std::vector<float>>(borders_.size()), borders_, {}});
    const Maps start = borders_.front().inside(), end = borders_.back().inside();
    const long in_size = static_cast<long>(start.height) * start.width * start.channels;
    const long out_size = static_cast<long>(end.height) * end.width * end.channels;
    const auto part = [&](int i) {
      const long first = static_cast<long>(i) * count / threads;
      const long last = static_cast<long>(i + 1) * count / threads;
      run(in + first * in_size, static_cast<int>(last - first), out + first * out_size,
          workers_[i]);
    };
    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i) {
      try {
        others.emplace_back(part, i);
      } catch (const std::system_error&) {  // no more threads: this one does it
        part(i);
      }
    }
    part(0);
    for (std::thread& other : others) other.join();
  }

 private:
  struct Link {
    WinogradConvolution convolution;
    bool pooled;
  };
  struct Worker {
    std::vector<std::vector<float>> storage;
    std::vector<Maps> borders;
    WinogradConvolution::Scratch scratch;
  };

  void run(const float* in, int count, float* out, Worker& worker) const {
    std::vector<Maps>& borders = worker.borders;
    for (int first = 0; first < count; first += kGroup) {
      const int group = std::min(kGroup, count - first);
      for (size_t i = 0; i < borders.size(); ++i) {
        const size_t size = group * borders[i].size + kSlack;
        if (worker.storage[i].size() < size) worker.storage[i].resize(size);
        borders[i].values = worker.storage[i].data();
      }
      const Maps start = borders.front().inside(), end = borders.back().inside();
      const int in_row = start.width * start.channels, out_row = end.width * end.channels;
      for (int i = 0; i < group; ++i)
        for (int y = 0; y < start.height; ++y, in += in_row)
          std::copy_n(in, in_row, start.at(i, y, 0));
      for (size_t i = 0; i < links_.size(); ++i)
        links_[i].convolution.run(borders[i], group, links_[i].pooled, borders[i + 1].inside(),
                                  worker.scratch);
      for (int i = 0; i < group; ++i)
        for (int y = 0; y < end.height; ++y, out += out_row)
          std::copy_n(end.at(i, y, 0), out_row, out);
    }
  }

  std::vector<Link> links_;
  std::vector<std::vector<float>> parameters_;
  std::vector<Maps> borders_;  // what the layers read and write, each with a border of zeros
  std::vector<Worker> workers_;
};

}  // namespace

extern "C" {

EXPORTED void* fer_convolutions_new(const float* weights, const int* shapes, int layers, int height,
                                    int width, const char* instructions) {
  return new Chain(weights, shapes, layers, height, width, *fer::kernels_for(instructions));
}

EXPORTED void fer_convolutions_delete(void* chain) { delete static_cast<Chain*>(chain); }

EXPORTED void fer_convolutions_run(void* chain, const float* in, int count, float* out,
                                   int threads) {
  static_cast<Chain*>(chain)->run(in, count, out, threads);
}
}
