// The strided index space of several tensors: eight dims, outermost first, padded in front with size 1 (ops/variants.hpp makes them). Element i of the
// row-major order lies at space_offset(dims, strides, i). Ends as soon as i is used up, so that one dim costs no division.
#include "lib/index.h"

static inline long space_offset_far(long8 dims, long8 strides, I i) {
  long offset = 0;
#define ONC_SPACE_STEP(k)                                \
  if (i < (I)dims.k) return offset + i * strides.k;      \
  offset += (i % (I)dims.k) * strides.k;                 \
  i /= (I)dims.k;
  ONC_SPACE_STEP(s7)
  ONC_SPACE_STEP(s6)
  ONC_SPACE_STEP(s5)
  ONC_SPACE_STEP(s4)
  ONC_SPACE_STEP(s3)
  ONC_SPACE_STEP(s2)
  ONC_SPACE_STEP(s1)
#undef ONC_SPACE_STEP
  return offset + i * strides.s0;
}

// The innermost dim apart, so that it costs no call where the compiler makes one of the others.
static inline __attribute__((always_inline)) long space_offset(long8 dims, long8 strides, I i) {
  return i < (I)dims.s7 ? i * strides.s7 : space_offset_far(dims, strides, i);
}
