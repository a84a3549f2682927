// SPDX-License-Identifier: Apache-2.0
// Compiles kernels.inc for each instruction set and says which is the best one here.

#include "kernels.h"

#include <cstring>

namespace fer {
namespace {

namespace generic {
#define LANES 4
#define ROWS_HELD 2
#include "kernels.inc"
}  // namespace generic

#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx2,fma")
namespace avx2 {
#define LANES 8
#define ROWS_HELD 6
#include "kernels.inc"
}  // namespace avx2
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,fma,prefer-vector-width=512")
namespace avx512 {
#define LANES 16
#define ROWS_HELD 12
#include "kernels.inc"
}  // namespace avx512
#pragma GCC pop_options
#elif defined(__aarch64__)
#pragma GCC push_options
// GCC's first scheduler moves loads so far ahead that the 29 registers of the inner loop become
// more than 32, and stores sums on the stack.
#pragma GCC optimize("no-schedule-insns")
namespace neon {
#define LANES 4
#define ROWS_HELD 5
#define BY_ELEMENT
#include "kernels.inc"
}  // namespace neon
#pragma GCC pop_options
#endif

}  // namespace

const Kernels* kernels_for(const char* name) {
#if defined(__x86_64__)
  if (!std::strcmp(name, "avx512")) return &avx512::kernels;
  if (!std::strcmp(name, "avx2")) return &avx2::kernels;
#elif defined(__aarch64__)
  if (!std::strcmp(name, "neon")) return &neon::kernels;
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
  return "generic";
#elif defined(__aarch64__)
  return "neon";
#else
  return "generic";
#endif
}
