// The gradient of a cross-correlation by its weight: a sum over images and output places in a fixed order. -DDIRECT: one work-item a weight. -DTILE: tiles
// of dot products over padded copies of both tensors. -DOUTER: tiles of outer products over channels, for few places.
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

#if defined(TILE) || defined(OUTER)
#define ROW_PANEL (TM <= 8 ? 8 : 16)
#include "lib/tile.h"
#endif

#ifdef TILE
// For CPU-class devices. conv.cl's pad lays x out as for the forward, and grad_out on the same grid with zeros between the rows, so that each weight is a dot
// product of two contiguous runs an image. A register tile holds ROWS output channels by COLUMNS weights of vectors along the grid, summed at the end.
// An infinity in either tensor may meet a zero that stands for padding; lib/conv_chunks.h sets that right.
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

#ifdef OUTER
// For CPU-class devices and few output places, where a dot product along them would spend its time adding up lanes. Tiles are TM output channels by TN input
// channels of one tap, and each output place adds an outer product: grad_out is packed by panels of output channels, and x is laid out with its channels as
// neighbours. An infinity may meet a zero that stands for padding; such a sum is formed again without.

// dst: [image][place][pitch], the places as conv.cl's pad numbers them, zeros past the last channel. Sizes as there. Work-items: row of a plane, plane, image.
__kernel void pad_last(ARG(const E, src), ARG(T, dst), long8 strides, int4 from, int4 before, int4 stride, int4 size, int channels, int pitch) {
  BIND(const E, src);
  BIND(T, dst);
  const int row = get_global_id(0), plane = get_global_id(1), n = get_global_id(2), rows = size.x * size.y;
  const int d = row / size.y * stride.x + plane / (stride.y * stride.z) - before.x, h = row % size.y * stride.y + plane / stride.z % stride.y - before.y;
  const bool inside = d >= 0 && d < from.x && h >= 0 && h < from.y;
  src += n * strides.s0 + (inside ? d * strides.s2 + h * strides.s3 : 0);
  dst += (((long)n * get_global_size(1) + plane) * rows + row) * size.z * pitch;
  for (int q = 0; q < size.z; ++q, dst += pitch) {
    const int w = q * stride.z + plane % stride.z - before.z;
    const int count = inside && w >= 0 && w < from.z ? channels : 0;
    for (int c = 0; c < count; ++c) dst[c] = LOAD_AT(src, c * strides.s1 + w * strides.s4);
    for (int c = count; c < pitch; ++c) dst[c] = 0;
  }
}

// dst: [group][row tile][image][place][ROW_PANEL]. Work-items: row tile, image, group.
__kernel void pack_places(ARG(const E, grad_out), ARG(T, dst), long8 strides, int4 size, int rows) {
  BIND(const E, grad_out);
  BIND(T, dst);
  const int tile = get_global_id(0), n = get_global_id(1), group = get_global_id(2), count = min(TM, rows - tile * TM);
  grad_out += n * strides.s0 + ((long)group * rows + tile * TM) * strides.s1;
  dst += (((long)group * get_global_size(0) + tile) * get_global_size(1) + n) * size.x * size.y * size.z * ROW_PANEL;
  for (int o = 0; o < size.x; ++o)
    for (int p = 0; p < size.y; ++p)
      for (int q = 0; q < size.z; ++q, dst += ROW_PANEL)
        for (int i = 0; i < ROW_PANEL; ++i)
          dst[i] = i < count ? LOAD_AT(grad_out, i * strides.s1 + o * strides.s2 + p * strides.s3 + q * strides.s4) : (T)0;
}

// panels, places: what pack_places and pad_last wrote. table: each tap's distance on the grid and its offset in grad_w. image_places: of one image, of rows
// `width` and depths `plane` apart. Work-items: tap; row tile; column tile and group.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void outer_tile(ARG(const T, panels), ARG(const T, places), ARG(const E, grad_out), ARG(const E, x),
                                                                        ARG(E, grad_w), ARG(const int, table), CONV_GEOMETRY, long8 y_strides,
                                                                        long8 x_strides, long8 w_strides, int pitch, int image_places, int plane, int width) {
  BIND(const T, panels);
  BIND(const T, places);
  BIND(const E, grad_out);
  BIND(const E, x);
  BIND(E, grad_w);
  BIND(const int, table);
  const int images = sizes.s0, groups = sizes.s3, rows = sizes.s2 / groups, channels = sizes.s1 / groups;
  const int tap = get_global_id(0), row = get_global_id(1) * TM, group = get_global_id(2) % groups, column = get_global_id(2) / groups * TN;
  const int outputs = sizes.sa * sizes.sb * sizes.sc;
  panels += ((long)group * get_global_size(1) + get_global_id(1)) * images * outputs * ROW_PANEL;
  places += (long)table[2 * tap] * pitch + group * channels + column;
  T sums[TM * TN];
  for (int i = 0; i < TM * TN; ++i) sums[i] = 0;
  // Rows of about 512 places are summed apart, so that the rounding error grows slower than the terms.
  const int block = max(1, 512 / sizes.sc), depths = images * sizes.sa;
  for (int depth = 0; depth < depths; ++depth) {
    __global const T *image = places + ((long)(depth / sizes.sa) * image_places + (depth % sizes.sa) * plane) * pitch;
    for (int begin = 0; begin < sizes.sb; begin += block) {
      TILE_ZERO
      for (int p = begin; p < min(begin + block, sizes.sb); ++p) {
        __global const T *at = image + (long)p * width * pitch;
        for (int q = 0; q < sizes.sc; ++q, at += pitch, panels += ROW_PANEL) TILE_STEP(panels, at)
      }
#define ADD_BLOCK(i)                                                        \
  VSTORE(VLOAD(sums + i * TN) + left##i, sums + i * TN);                    \
  VSTORE(VLOAD(sums + i * TN + VW) + right##i, sums + i * TN + VW);
      FOR_ROWS(ADD_BLOCK)
    }
  }
  const int live = min(TN, channels - column), count = min(TM, rows - row);
  for (int i = 0; i < count; ++i) {
    const long k = (long)group * rows + row + i;
    __global E *to = grad_w + k * w_strides.s0 + column * w_strides.s1 + table[2 * tap + 1];
    for (int j = 0; j < live; ++j) {
      T sum = sums[i * TN + j];
      if (sum != sum) {
        const int s = tap % sizes.s9, r = tap / sizes.s9 % sizes.s8, z = tap / sizes.s9 / sizes.s8;
        sum = weight_gradient(grad_out + k * y_strides.s1, x + ((long)group * channels + column + j) * x_strides.s1, sizes, steps, y_strides, x_strides, z, r,
                              s);
      }
      STORE_AT(to, j * w_strides.s1, sum);
    }
  }
}
#endif
