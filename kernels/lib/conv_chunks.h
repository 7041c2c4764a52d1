// The end of the weight gradient's variants that sum chunks of images apart. Needs lib/arg.h and lib/conv.h. A NaN may come from a zero that stands for padding
// and meets an infinity: what comes out as NaN is computed anew, from the tensors themselves.
// Adds the chunks in order. Work-items: weight (channel and tap) of an output channel; output channel.
__kernel void sum_chunks(ARG(const T, partial), ARG(const E, grad_out), ARG(const E, x), ARG(E, grad_w), CONV_GEOMETRY, long8 y_strides, long8 x_strides,
                         long8 w_strides, int chunks) {
  BIND(const T, partial);
  BIND(const E, grad_out);
  BIND(const E, x);
  BIND(E, grad_w);
  const int channels = sizes.s1 / sizes.s3, outputs = sizes.s2 / sizes.s3, Z = sizes.s7, R = sizes.s8, S = sizes.s9;
  const int columns = channels * Z * R * S, column = get_global_id(0), k = get_global_id(1);
  if (column >= columns) return;
  const int s = column % S, r = column / S % R, z = column / (R * S) % Z, c = column / (Z * R * S);
  T sum = 0;
  for (int i = 0; i < chunks; ++i) sum += partial[((long)i * sizes.s2 + k) * columns + column];
  if (sum != sum)
    sum = weight_gradient(grad_out + k * y_strides.s1, x + (k / outputs * channels + c) * x_strides.s1, sizes, steps, y_strides, x_strides, z, r, s);
  STORE_AT(grad_w, k * w_strides.s0 + c * w_strides.s1 + z * w_strides.s2 + r * w_strides.s3 + s * w_strides.s4, sum);
}
