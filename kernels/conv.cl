// Cross-correlation. -DDIRECT: one work-item an output, for any strides. -DTILE: register tiles over a padded copy of the image.
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

#ifdef TILE
// For CPU-class devices. The image is copied with its padding, and split into stride_h x stride_w planes by the residue of its coordinates, so that the inputs
// of neighbouring outputs of a row are neighbours in memory at every tap, whatever stride and dilation. Outputs are then numbered on a grid as wide as the
// padded rows; TN neighbours on that grid are a register tile's columns, and the few between two rows are computed and dropped. A table gives each tap's
// distance. The input gradient is the same sum over a padded grad_out, in stride_h * stride_w phases with a part of the taps each.
#include "lib/tile.h"

// Copies image [H, W] of each channel to rows of length width: row h holds source row h * stride_h + plane_h - top, and zero outside the source; likewise its
// columns. Work-items: channel, image, block of `rows` rows. gap: elements after a channel's planes; end: elements after the last channel; both become 0.
__kernel void pad(ARG(const T, src), ARG(T, dst), long4 strides, int H, int W, int top, int left, int stride_h, int stride_w, int height, int width,
                  int rows, int gap, int end) {
  BIND(const T, src);
  BIND(T, dst);
  const int c = get_global_id(0), n = get_global_id(1), first = get_global_id(2) * rows;
  const int channels = get_global_size(0);
  const long channel = (long)stride_h * stride_w * height * width + gap;
  src += n * strides.s0 + c * strides.s1;
  dst += ((long)n * channels + c) * channel;
  for (int plane = 0; plane < stride_h * stride_w; ++plane) {
    const int shift_h = plane / stride_w - top, shift_w = plane % stride_w - left;
    const int begin = clamp((stride_w - 1 - shift_w) / stride_w, 0, width);
    const int stop = clamp((W - shift_w + stride_w - 1) / stride_w, begin, width);
    for (int row = first; row < min(first + rows, height); ++row) {
      const int h = row * stride_h + shift_h;
      __global T *to = dst + ((long)plane * height + row) * width;
      const bool inside = h >= 0 && h < H;
      const int from_column = inside ? begin : 0, to_column = inside ? stop : 0;
      __global const T *from = src + (inside ? h * strides.s2 : 0) + shift_w * strides.s3;
      int i = 0;
      for (; i < from_column; ++i) to[i] = 0;
      if (strides.s3 == 1 && stride_w == 1) {
        for (; i + VW <= to_column; i += VW) VSTORE(VLOAD(from + i), to + i);
        for (; i < to_column; ++i) to[i] = from[i];
      } else {
        for (; i < to_column; ++i) to[i] = from[i * stride_w * strides.s3];
      }
      for (; i < width; ++i) to[i] = 0;
    }
  }
  if (first + rows < height) return;
  const int more = gap + (c + 1 == channels && n + 1 == get_global_size(1) ? end : 0);
  for (int i = 0; i < more; ++i) dst[channel - gap + i] = 0;
}

// dst: [group][row tile][tap][depth][ROW_PANEL], zero past the last row. Work-items: row tile, tap, group.
__kernel void pack_taps(ARG(const T, w), ARG(T, dst), ARG(const int, table), int header, int rows, int depth, long w_row, long w_depth, long w_group) {
  BIND(const T, w);
  BIND(T, dst);
  BIND(const int, table);
  const int tile = get_global_id(0), tap = get_global_id(1), group = get_global_id(2);
  w += group * w_group + (long)tile * TM * w_row + table[header + 2 * tap + 1];
  dst += (((long)group * get_global_size(0) + tile) * get_global_size(1) + tap) * depth * ROW_PANEL;
  const int count = min(TM, rows - tile * TM);
  for (int c = 0; c < depth; ++c)
    for (int i = 0; i < ROW_PANEL; ++i) dst[c * ROW_PANEL + i] = i < count ? w[i * w_row + c * w_depth] : (T)0;
}

// A phase of the table: taps begin to stop, the place of its first output, the size of its output.
#define PHASE 6

// Stores the TN columns at place `first` of the grid, of `rows` rows in `sums`, leaving out what lies between the output's rows.
inline void store_grid(const T *sums, __global T *y, long y_k, long y_p, long y_q, int first, int width, int height_out, int width_out, int rows) {
  for (int j = 0; j < TN;) {
    const int p = (first + j) / width, q = (first + j) % width;
    if (p >= height_out) break;
    const int run = min(width_out - q, TN - j);
    __global T *to = y + p * y_p + q * y_q;
    const T *from = sums + j;
    for (int i = 0; run > 0 && i < rows; ++i, to += y_k, from += TN) {
      int l = 0;
      if (y_q == 1)
        for (; l + 4 <= run; l += 4) vstore4(vload4(0, from + l), 0, to + l);
      for (; l < run; ++l) to[l * y_q] = from[l];
    }
    j += width - q;
  }
}

// Work-items: grid tile; row-tile group and phase; image and channel group. Strides: y_* of the output, already times the phases' stride where they step over
// it; x_channel of the padded image.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void tile(ARG(const T, x), ARG(const T, w), ARG(const T, bias), ARG(T, y), ARG(const int, table),
                                                                  int phases, int taps, int rows, int depth, int row_tiles, int tiles, int groups,
                                                                  long x_channel, int width, long4 y_strides, long4 phase_strides, long bias_stride,
                                                                  int has_bias) {
  BIND(const T, x);
  BIND(const T, w);
  BIND(const T, bias);
  BIND(T, y);
  BIND(const int, table);
  const int phase = get_global_id(1) % phases, group = get_global_id(2) % groups, n = get_global_id(2) / groups;
  __global const int *head = table + phase * PHASE;
  __global const int *tap_table = table + phases * PHASE;
  const int begin = head[0], stop = head[1], height_out = head[4], width_out = head[5];
  const int first = get_global_id(0) * TN;
  if (width_out == 0 || first >= height_out * width) return;
  x += ((long)n * groups + group) * depth * x_channel + first;
  y += n * y_strides.s0 + (long)group * rows * y_strides.s1 + head[2] * phase_strides.s2 + head[3] * phase_strides.s3;
  const int first_tile = get_global_id(1) / phases * tiles, last_tile = min(first_tile + tiles, row_tiles);
  const int p = first / width, q = first % width;
  const bool whole = q + TN <= width_out && p < height_out && y_strides.s3 == 1;
  for (int tile = first_tile; tile < last_tile; ++tile) {
    __global const T *a = w + (((long)group * row_tiles + tile) * taps + begin) * depth * ROW_PANEL;
    TILE_ZERO
    for (int t = begin; t < stop; ++t) {
      __global const T *b = x + tap_table[2 * t];
      for (int c = 0; c < depth; ++c, a += ROW_PANEL, b += x_channel) TILE_STEP(a, b)
    }
    const int row = tile * TM, count = min(TM, rows - row);
    if (has_bias) {
#define ADD_BIAS(i)                                                                             \
  if (i < count) {                                                                              \
    const V value = (V)(bias[((long)group * rows + row + i) * bias_stride]);                    \
    left##i += value, right##i += value;                                                        \
  }
      FOR_ROWS(ADD_BIAS)
    }
    __global T *to = y + row * y_strides.s1;
    if (whole) {
      to += p * y_strides.s2 + q;
#define STORE_WHOLE(i) \
  if (i < count) VSTORE(left##i, to + i * y_strides.s1), VSTORE(right##i, to + i * y_strides.s1 + VW);
      FOR_ROWS(STORE_WHOLE)
    } else {
      T sums[TM * TN];
#define SPILL(i) VSTORE(left##i, sums + i * TN), VSTORE(right##i, sums + i * TN + VW);
      FOR_ROWS(SPILL)
      store_grid(sums, to, y_strides.s1, y_strides.s2, y_strides.s3, first, width, height_out, width_out, count);
    }
  }
}
#endif
