// SPDX-License-Identifier: Apache-2.0
// The arithmetic of the networks, compiled for several instruction sets.

#ifndef FER_PERCEPTION_KERNELS_H_
#define FER_PERCEPTION_KERNELS_H_

#define EXPORTED __attribute__((visibility("default")))

namespace fer {

// A convolution or a fully connected layer (a 1 x 1 convolution of one pixel) and the PReLU after
// it; slopes of 1 for none. Arrays are padded to whole vectors of 16 outputs.
struct Layer {
  int kernel_height, kernel_width, inputs, outputs, padded_outputs;
  const float *weights, *bias, *slopes;
};

// Winograd's method for 3 x 3 convolutions: tiles of out x out pixels are made of in x in pixels.
struct Winograd {
  int in, out;
  // One tile of a map whose rows are pitch floats long and whose pixels stride; what lies beyond
  // its rows and columns is zero. The in x in results lie step floats apart.
  void (*transform)(const float* map, long pitch, int stride, int rows, int columns, int channels,
                    float* results, long step);
  // The tile's outputs with bias and PReLU, and the largest of 2 x 2 if pooled; rows and columns
  // are how many of them to write.
  void (*restore)(const float* products, long step, int channels, const float* bias,
                  const float* slopes, bool pooled, int rows, int columns, float* map, long pitch);
};

struct Kernels {
  void (*product)(const float*, long, int, long, int, const Layer&, float*, long);
  void (*convolve)(const float*, int, int, const Layer&, float*);
  void (*max_pool)(const float*, int, int, int, int, int, float*, int, int);
  void (*blend)(const unsigned char*, const unsigned char*, float, int, float*);
  void (*halve)(const unsigned char*, long, int, int, unsigned char*);
  // out = a (rows x k) * weights (k x panel), rows of out pitch floats apart.
  void (*multiply)(const float* a, int rows, int k, const float* weights, float* out, long pitch);
  int panel;
  Winograd winograd[2];
};

const Kernels* kernels_for(const char* instruction_set);

}  // namespace fer

#endif
