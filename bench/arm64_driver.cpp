// SPDX-License-Identifier: Apache-2.0
// Runs the native library on arrays from standard input; the result goes to standard output.
//
//     arm64_driver INSTRUCTIONS layer|convolutions|cascade REPEATS
//
// An array is its size in bytes, an int32, and its bytes. See arm64.py, which starts this.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "kernels.h"

extern "C" {
void* fer_cascade_new(const float*, const int*, int, const char*);
int fer_cascade_detect(void*, const uint8_t*, int, int, long, float, float, const float*, float*,
                       int);
void* fer_convolutions_new(const float*, const int*, int, int, int, const char*);
void fer_convolutions_run(void*, const float*, int, float*, int);
}

namespace {

constexpr int kSlack = 64;  // vectors may be read and written beyond an array's end
constexpr int kFaces = 64, kRow = 15;

template <typename T>
std::vector<T> read_array() {
  int32_t bytes;
  if (std::fread(&bytes, sizeof bytes, 1, stdin) != 1) std::exit(2);
  std::vector<T> array(bytes / sizeof(T) + kSlack);
  if (std::fread(array.data(), 1, bytes, stdin) != static_cast<size_t>(bytes)) std::exit(2);
  array.resize(bytes / sizeof(T));
  return array;
}

void write_array(const std::vector<float>& array, size_t count) {
  std::fwrite(array.data(), sizeof(float), count, stdout);
}

}  // namespace

int main(int, char** arguments) {
  const char *instructions = arguments[1], *mode = arguments[2];
  const int repeats = std::atoi(arguments[3]);
  const auto weights = read_array<float>();
  const auto shapes = read_array<int>();
  const auto size = read_array<int>();
  if (!std::strcmp(mode, "layer")) {
    const auto in = read_array<float>();
    const int rows = size[0], width = size[1];
    fer::Layer layer{shapes[0], shapes[1], shapes[2], shapes[3], (shapes[3] + 15) / 16 * 16,
                     weights.data(), nullptr, nullptr};
    layer.bias = weights.data() + shapes[0] * shapes[1] * shapes[2] * layer.padded_outputs;
    layer.slopes = layer.bias + layer.padded_outputs;
    std::vector<float> out(rows * width * layer.outputs + kSlack);
    for (int i = 0; i < repeats; ++i)
      fer::kernels_for(instructions)->convolve(in.data(), rows, width, layer, out.data());
    write_array(out, out.size() - kSlack);
  } else if (!std::strcmp(mode, "convolutions")) {
    const auto maps = read_array<float>();
    std::vector<float> out(size[3]);
    void* chain = fer_convolutions_new(weights.data(), shapes.data(),
                                       static_cast<int>(shapes.size() / 3), size[0], size[1],
                                       instructions);
    for (int i = 0; i < repeats; ++i)
      fer_convolutions_run(chain, maps.data(), size[2], out.data(), 1);
    write_array(out, out.size());
  } else {
    const auto pixels = read_array<uint8_t>();
    const auto limits = read_array<float>();  // smallest face, scale factor, three thresholds
    std::vector<float> out(kFaces * kRow);
    void* cascade = fer_cascade_new(weights.data(), shapes.data(),
                                    static_cast<int>(shapes.size() / 4), instructions);
    int found = 0;
    for (int i = 0; i < repeats; ++i)
      found = fer_cascade_detect(cascade, pixels.data(), size[0], size[1], 3L * size[1], limits[0],
                                 limits[1], &limits[2], out.data(), kFaces);
    write_array(out, static_cast<size_t>(found < kFaces ? found : kFaces) * kRow);
  }
}
