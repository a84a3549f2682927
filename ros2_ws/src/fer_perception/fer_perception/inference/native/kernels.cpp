// SPDX-License-Identifier: Apache-2.0
// Compiles kernels.inc for each instruction set and says which is the best one here.

#include "kernels.h"

#include <cstring>

namespace fer {
namespace {

namespace generic {
#define LANES 4
#include "kernels.inc"
}  // namespace generic

#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx2,fma")
namespace avx2 {
#define LANES 8
#include "kernels.inc"
}  // namespace avx2
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,fma,prefer-vector-width=512")
namespace avx512 {
#define LANES 16
#include "kernels.inc"
}  // namespace avx512
#pragma GCC pop_options
#endif

}  // namespace

const Kernels* kernels_for(const char* name) {
#if defined(__x86_64__)
  if (!std::strcmp(name, "avx512")) return &avx512::kernels;
  if (!std::strcmp(name, "avx2")) return &avx2::kernels;
#endif
  return &generic::kernels;
}

}  // namespace fer

extern "C" EXPORTED const char* fer_instruction_set() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    return "avx512";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "avx2";
#endif
  return "generic";
}
