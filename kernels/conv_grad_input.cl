// The gradient of a cross-correlation by its input, gathered: each input sums over the windows that it lies in, so that the order is fixed. The tile variant is
// conv.cl's.
#include "lib/arg.h"
#include "lib/conv.h"

// count: inputs of the convolution.
__kernel void direct(ARG(const E, grad_out), ARG(const E, w), ARG(E, grad_in), CONV_GEOMETRY, long8 y_strides, long8 w_strides, long8 x_strides, I count) {
  BIND(const E, grad_out);
  BIND(const E, w);
  BIND(E, grad_in);
  GEOMETRY;
  if (get_global_id(0) >= (size_t)count) return;
  I id = get_global_id(0);
  const int v = id % W, h = (id /= W) % H, d = (id /= H) % D, c = (id /= D) % C, n = id / C;
  const int outputs = K / groups, channels = C / groups, first = c / channels * outputs;
  grad_out += n * y_strides.s0 + first * y_strides.s1;
  w += first * w_strides.s0 + c % channels * w_strides.s1;
  T sum = 0;
  for (int z = 0; z < Z; ++z) {
    const int front = d + pad_d - z * dilation_d, o = front / stride_d;
    if (front < 0 || o * stride_d != front || o >= O) continue;
    for (int r = 0; r < R; ++r) {
      const int top = h + pad_h - r * dilation_h, p = top / stride_h;
      if (top < 0 || p * stride_h != top || p >= P) continue;
      for (int s = 0; s < S; ++s) {
        const int left = v + pad_w - s * dilation_w, q = left / stride_w;
        if (left < 0 || q * stride_w != left || q >= Q) continue;
        __global const E *from = grad_out + o * y_strides.s2 + p * y_strides.s3 + q * y_strides.s4;
        __global const E *by = w + z * w_strides.s2 + r * w_strides.s3 + s * w_strides.s4;
        for (int k = 0; k < outputs; ++k) sum = MULTIPLY_ADD(LOAD_AT(from, k * y_strides.s1), LOAD_AT(by, k * w_strides.s0), sum);
      }
    }
  }
  STORE_AT(grad_in, n * x_strides.s0 + c * x_strides.s1 + d * x_strides.s2 + h * x_strides.s3 + v * x_strides.s4, sum);
}
