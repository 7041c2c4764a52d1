// The gradient of a cross-correlation by its input, gathered: each input sums over the windows that it lies in, so that the order is fixed.
#include "lib/arg.h"
#include "lib/conv.h"

__kernel void direct(ARG(const T, grad_out), ARG(const T, w), ARG(T, grad_in), conv_geometry geometry, long4 y_strides, long4 w_strides,
                     long4 x_strides) {
  BIND(const T, grad_out);
  BIND(const T, w);
  BIND(T, grad_in);
  GEOMETRY(geometry);
  const long id = get_global_id(0);
  if (id >= (long)N * C * H * W) return;
  const int v = id % W, h = id / W % H, c = id / ((long)H * W) % C, n = id / ((long)H * W * C);
  const int outputs = K / groups, channels = C / groups, first = c / channels * outputs;
  grad_out += n * y_strides.s0 + first * y_strides.s1;
  w += first * w_strides.s0 + c % channels * w_strides.s1;
  T sum = 0;
  for (int r = 0; r < R; ++r) {
    const int top = h + pad_h - r * dilation_h, p = top / stride_h;
    if (top < 0 || p * stride_h != top || p >= P) continue;
    for (int s = 0; s < S; ++s) {
      const int left = v + pad_w - s * dilation_w, q = left / stride_w;
      if (left < 0 || q * stride_w != left || q >= Q) continue;
      __global const T *from = grad_out + p * y_strides.s2 + q * y_strides.s3;
      __global const T *by = w + r * w_strides.s2 + s * w_strides.s3;
      for (int k = 0; k < outputs; ++k) sum = fma(from[k * y_strides.s1], by[k * w_strides.s0], sum);
    }
  }
  grad_in[n * x_strides.s0 + c * x_strides.s1 + h * x_strides.s2 + v * x_strides.s3] = sum;
}
