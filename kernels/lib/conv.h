// What the kernels of convolution share: the geometry in three spatial dims (fewer are padded in front with size 1), tensors' strides, the bias.
// N images, C channels of D x H x W, K output channels of O x P x Q, a window of Z x R x S. Strides of tensors are long8: image, channel, depth, row, column;
// of a weight: output channel, channel, depth, row, column.
#include "lib/index.h"
#include "lib/multiply_add.h"
#include "lib/storage.h"

#define CONV_GEOMETRY int16 sizes, int16 steps
#define GEOMETRY                                                                                                                                \
  const int N = sizes.s0, C = sizes.s1, K = sizes.s2, groups = sizes.s3, D = sizes.s4, H = sizes.s5, W = sizes.s6, Z = sizes.s7, R = sizes.s8, \
            S = sizes.s9, O = sizes.sa, P = sizes.sb, Q = sizes.sc, stride_d = steps.s0, stride_h = steps.s1, stride_w = steps.s2,             \
            pad_d = steps.s3, pad_h = steps.s4, pad_w = steps.s5, dilation_d = steps.s6, dilation_h = steps.s7, dilation_w = steps.s8

// The bias of output channel i. has_bias: 1 where it lies in memory as x does, 2 where it is a T beside halves.
#if defined(STORAGE_F16) || defined(STORAGE_BF16)
#define BIAS_AT(i) (has_bias == 2 ? ((__global const T *)bias_base)[bias_offset + (i)] : LOAD_AT(bias, i))
#else
#define BIAS_AT(i) LOAD_AT(bias, i)
#endif
// Of the register tile's row i (lib/tile.h), output channel k + i; count rows are used.
#define ADD_BIAS(i)                                                                             \
  if (i < count) {                                                                              \
    const V value = (V)(BIAS_AT((k + i) * bias_stride));                                        \
    left##i += value, right##i += value;                                                        \
  }

// One weight's gradient: the sum over images and output places whose tap (z, r, s) lies inside the image. grad_out and x begin at their channel of image 0.
// Rows and images are summed apart, so that the rounding error grows slower than the terms. Ends early where the sum is NaN, and stays so.
static inline T weight_gradient(__global const E *grad_out, __global const E *x, int16 sizes, int16 steps, long8 y_strides, long8 x_strides, int z, int r,
                                int s) {
  GEOMETRY;
  T sum = 0;
  for (int n = 0; n < N && sum == sum; ++n) {
    T image = 0;
    for (int o = 0; o < O; ++o) {
      const int d = o * stride_d - pad_d + z * dilation_d;
      if (d < 0 || d >= D) continue;
      for (int p = 0; p < P && image == image; ++p) {
        const int h = p * stride_h - pad_h + r * dilation_h;
        if (h < 0 || h >= H) continue;
        __global const E *g = grad_out + n * y_strides.s0 + o * y_strides.s2 + p * y_strides.s3;
        __global const E *v = x + n * x_strides.s0 + d * x_strides.s2 + h * x_strides.s3;
        T row = 0;
        for (int q = 0; q < Q; ++q) {
          const int w = q * stride_w - pad_w + s * dilation_w;
          if (w >= 0 && w < W) row = MULTIPLY_ADD(LOAD_AT(g, q * y_strides.s4), LOAD_AT(v, w * x_strides.s4), row);
        }
        image += row;
      }
    }
    sum += image;
  }
  return sum;
}
