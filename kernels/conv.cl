// Cross-correlation. -DDIRECT: one work-item an output, for any strides.
#include "lib/arg.h"

#ifdef DIRECT
#include "lib/conv.h"

__kernel void direct(ARG(const T, x), ARG(const T, w), ARG(const T, bias), ARG(T, y), conv_geometry geometry, long4 x_strides, long4 w_strides,
                     long4 bias_strides, long4 y_strides, int has_bias) {
  BIND(const T, x);
  BIND(const T, w);
  BIND(const T, bias);
  BIND(T, y);
  GEOMETRY(geometry);
  const long id = get_global_id(0);
  if (id >= (long)N * K * P * Q) return;
  const int q = id % Q, p = id / Q % P, k = id / ((long)P * Q) % K, n = id / ((long)P * Q * K);
  const int channels = C / groups, first = k / (K / groups) * channels;
  x += n * x_strides.s0 + first * x_strides.s1;
  w += k * w_strides.s0;
  T sum = 0;
  for (int c = 0; c < channels; ++c)
    for (int r = 0; r < R; ++r) {
      const int h = p * stride_h - pad_h + r * dilation_h;
      if (h < 0 || h >= H) continue;
      for (int s = 0; s < S; ++s) {
        const int v = q * stride_w - pad_w + s * dilation_w;
        if (v >= 0 && v < W)
          sum = fma(x[c * x_strides.s1 + h * x_strides.s2 + v * x_strides.s3], w[c * w_strides.s1 + r * w_strides.s2 + s * w_strides.s3], sum);
      }
    }
  if (has_bias) sum += bias[k * bias_strides.s0];
  y[n * y_strides.s0 + k * y_strides.s1 + p * y_strides.s2 + q * y_strides.s3] = sum;
}
#endif
