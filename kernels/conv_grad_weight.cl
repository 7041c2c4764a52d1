// The gradient of a cross-correlation by its weight: a sum over images and output places in a fixed order.
#include "lib/arg.h"

#ifdef DIRECT
#include "lib/conv.h"

// One work-item a weight.
__kernel void direct(ARG(const T, grad_out), ARG(const T, x), ARG(T, grad_w), conv_geometry geometry, long4 y_strides, long4 x_strides,
                     long4 w_strides) {
  BIND(const T, grad_out);
  BIND(const T, x);
  BIND(T, grad_w);
  GEOMETRY(geometry);
  const int channels = C / groups;
  const long id = get_global_id(0);
  if (id >= (long)K * channels * R * S) return;
  const int s = id % S, r = id / S % R, c = id / ((long)R * S) % channels, k = id / ((long)R * S * channels);
  grad_out += k * y_strides.s1;
  x += (k / (K / groups) * channels + c) * x_strides.s1;
  T sum = 0;
  for (int n = 0; n < N; ++n) {
    T image = 0;
    for (int p = 0; p < P; ++p) {
      const int h = p * stride_h - pad_h + r * dilation_h;
      if (h < 0 || h >= H) continue;
      T row = 0;
      for (int q = 0; q < Q; ++q) {
        const int v = q * stride_w - pad_w + s * dilation_w;
        if (v >= 0 && v < W)
          row = fma(grad_out[n * y_strides.s0 + p * y_strides.s2 + q * y_strides.s3], x[n * x_strides.s0 + h * x_strides.s2 + v * x_strides.s3], row);
      }
      image += row;
    }
    sum += image;
  }
  grad_w[k * w_strides.s0 + c * w_strides.s1 + r * w_strides.s2 + s * w_strides.s3] = sum;
}
#endif
