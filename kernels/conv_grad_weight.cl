// The gradient of a cross-correlation by its weight: a sum over images and output places in a fixed order. -DDIRECT: one work-item a weight. -DTILE: tiles
// of dot products over padded copies of both tensors.
#include "lib/arg.h"
#include "lib/conv.h"

#ifdef DIRECT
// count: weights.
__kernel void direct(ARG(const E, grad_out), ARG(const E, x), ARG(E, grad_w), CONV_GEOMETRY, long8 y_strides, long8 x_strides, long8 w_strides, I count) {
  BIND(const E, grad_out);
  BIND(const E, x);
  BIND(E, grad_w);
  if (get_global_id(0) >= (size_t)count) return;
  const int channels = sizes.s1 / sizes.s3, outputs = sizes.s2 / sizes.s3, Z = sizes.s7, R = sizes.s8, S = sizes.s9;
  I id = get_global_id(0);
  const int s = id % S, r = (id /= S) % R, z = (id /= R) % Z, c = (id /= Z) % channels, k = id / channels;
  const T sum = weight_gradient(grad_out + k * y_strides.s1, x + (k / outputs * channels + c) * x_strides.s1, sizes, steps, y_strides, x_strides, z, r, s);
  STORE_AT(grad_w, k * w_strides.s0 + c * w_strides.s1 + z * w_strides.s2 + r * w_strides.s3 + s * w_strides.s4, sum);
}
#endif

#ifdef TILE
// For CPU-class devices. conv.cl's pad lays x out as for the forward, and grad_out on the same grid with zeros between the rows, so that each weight is a dot
// product of two contiguous runs an image. A register tile holds ROWS output channels by COLUMNS weights of vectors along the grid, summed at the end.
// An infinity in either tensor may meet a zero that stands for padding; lib/conv_chunks.h sets that right.
#include "lib/tile.h"
#define ROWS 3
#define COLUMNS 9
#define FOR_COLUMNS(X) REPEAT_9(X)

// Work-items: column tile; row tile and channel group; chunk of images. partial: [chunk][output channel][columns], columns = channels * taps.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void dot_tile(ARG(const T, grad_out), ARG(const T, x), ARG(T, partial), ARG(const int, table),
                                                                      int images, int chunk, int rows, int channels, int taps, int groups, int length,
                                                                      long x_channel) {
  BIND(const T, grad_out);
  BIND(const T, x);
  BIND(T, partial);
  BIND(const int, table);
  const int column = get_global_id(0) * COLUMNS, group = get_global_id(1) % groups, row = get_global_id(1) / groups * ROWS;
  const int columns = channels * taps, count = min(ROWS, rows - row);
  const int begin = get_global_id(2) * chunk, stop = min(begin + chunk, images);
  grad_out += ((long)group * rows + row) * length;
  x += (long)group * channels * x_channel;
  // Tiles at the edge repeat their last row and column, and drop the sums.
  const long row1 = min(1, count - 1) * (long)length, row2 = min(2, count - 1) * (long)length;
#define PLACE(i)                                            \
  const int at##i = min(column + i, columns - 1);           \
  const long place##i = at##i / taps * x_channel + table[2 * (at##i % taps)];
  FOR_COLUMNS(PLACE)
#define ZERO(i) V first##i = 0, second##i = 0, third##i = 0;
  FOR_COLUMNS(ZERO)
  for (int n = begin; n < stop; ++n) {
    __global const T *g = grad_out + (long)n * groups * rows * length;
    __global const T *v = x + (long)n * groups * channels * x_channel;
    for (int j = 0; j < length; j += VW, g += VW, v += VW) {
      const V g0 = VLOAD(g), g1 = VLOAD(g + row1), g2 = VLOAD(g + row2);
#define STEP(i)                                       \
  {                                                   \
    const V value = VLOAD(v + place##i);              \
    first##i = MULTIPLY_ADD(g0, value, first##i);     \
    second##i = MULTIPLY_ADD(g1, value, second##i);   \
    third##i = MULTIPLY_ADD(g2, value, third##i);     \
  }
      FOR_COLUMNS(STEP)
    }
  }
  partial += (((long)get_global_id(2) * groups + group) * rows + row) * columns + column;
#define STORE(i)                                                       \
  if (column + i < columns) {                                          \
    partial[i] = sum_lanes(first##i);                                  \
    if (count > 1) partial[columns + i] = sum_lanes(second##i);        \
    if (count > 2) partial[2 * columns + i] = sum_lanes(third##i);     \
  }
  FOR_COLUMNS(STORE)
}

#include "lib/conv_chunks.h"
#endif
