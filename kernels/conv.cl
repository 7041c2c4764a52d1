// Cross-correlation. -DDIRECT: one work-item an output, for any strides. -DTILE: register tiles over a padded copy of the image. To an epilogue the output
// is a batch of matrices: output channels by places.
#include "lib/arg.h"
#include "lib/conv.h"
#include "lib/epilogue.h"

#ifdef DIRECT
// count: outputs.
__kernel void direct(ARG(const E, x), ARG(const E, w), ARG(const E, bias), ARG(E, y), CONV_GEOMETRY, long8 x_strides, long8 w_strides, long bias_stride,
                     long8 y_strides, int has_bias, I count EPILOGUE_PARAMS) {
  BIND(const E, x);
  BIND(const E, w);
  BIND(const E, bias);
  BIND(E, y);
  GEOMETRY;
  if (get_global_id(0) >= (size_t)count) return;
  I id = get_global_id(0);
  const int q = id % Q, p = (id /= Q) % P, o = (id /= P) % O, k = (id /= O) % K, n = id / K;
  const int channels = C / groups, first = k / (K / groups) * channels;
  x += n * x_strides.s0 + first * x_strides.s1;
  w += k * w_strides.s0;
  T sum = 0;
  for (int c = 0; c < channels; ++c)
    for (int z = 0; z < Z; ++z) {
      const int d = o * stride_d - pad_d + z * dilation_d;
      if (d < 0 || d >= D) continue;
      for (int r = 0; r < R; ++r) {
        const int h = p * stride_h - pad_h + r * dilation_h;
        if (h < 0 || h >= H) continue;
        __global const E *from = x + c * x_strides.s1 + d * x_strides.s2 + h * x_strides.s3;
        __global const E *by = w + c * w_strides.s1 + z * w_strides.s2 + r * w_strides.s3;
        for (int s = 0; s < S; ++s) {
          const int v = q * stride_w - pad_w + s * dilation_w;
          if (v >= 0 && v < W) sum = MULTIPLY_ADD(LOAD_AT(from, v * x_strides.s4), LOAD_AT(by, s * w_strides.s4), sum);
        }
      }
    }
  if (has_bias) sum += BIAS_AT(k * bias_stride);
  EPILOGUE_BIND(n)
  y += n * y_strides.s0 + k * y_strides.s1 + o * y_strides.s2 + p * y_strides.s3 + q * y_strides.s4;
  finish_1(sum, y, k, ((long)o * P + p) * Q + q EPILOGUE_PASS);
}
#endif

#ifdef TILE
// For CPU-class devices. The image is copied with its padding, and split into planes by the residues of its coordinates modulo the strides, so that the inputs
// of neighbouring outputs of a row are neighbours in memory at every tap, whatever stride and dilation. Outputs are then numbered on a grid as high and wide
// as the padded planes; TN neighbours on that grid are a register tile's columns, and the few between two rows, or two depths, are computed and dropped. A
// table gives each tap's distance. The input gradient is the same sum over a padded grad_out, in a phase for each residue with a part of the taps each.
// The padding is zeros that are multiplied: an infinite weight makes NaN of it at the border.
#if TM <= 8
#define ROW_PANEL 8
#else
#define ROW_PANEL 16
#endif
#include "lib/tile.h"
#include "lib/padded_row.h"
DEFINE_PAD_ROW(pad_row, __global)

// Copies the image (sizes `from`: depth, height, width) of each channel into planes of `size`: index i of a plane's dim holds source index
// i * stride + residue - before, and zero outside the source. Planes follow in the order of their residues. Work-items: channel, image, block of `rows` rows of
// all planes. gap: elements after a channel's planes; end: elements after the last channel; both become 0.
__kernel void pad(ARG(const E, src), ARG(T, dst), long8 strides, int4 from, int4 before, int4 stride, int4 size, int rows, int gap, int end) {
  BIND(const E, src);
  BIND(T, dst);
  const int c = get_global_id(0), n = get_global_id(1), first = get_global_id(2) * rows;
  const int channels = get_global_size(0), planes = stride.x * stride.y * stride.z, plane_rows = size.x * size.y, width = size.z;
  const long channel = (long)planes * plane_rows * width + gap;
  src += n * strides.s0 + c * strides.s1;
  dst += ((long)n * channels + c) * channel;
  for (int plane = 0; plane < planes; ++plane) {
    const int shift_d = plane / (stride.y * stride.z) - before.x, shift_h = plane / stride.z % stride.y - before.y, shift_w = plane % stride.z - before.z;
    const int2 columns = padded_range(from.z, stride.z, shift_w, width);
    for (int row = first; row < min(first + rows, plane_rows); ++row) {
      const int d = row / size.y * stride.x + shift_d, h = row % size.y * stride.y + shift_h;
      const bool inside = d >= 0 && d < from.x && h >= 0 && h < from.y;
      __global const E *at = src + (inside ? d * strides.s2 + h * strides.s3 + shift_w * strides.s4 : 0);
      pad_row(dst + ((long)plane * plane_rows + row) * width, width, at, stride.z * strides.s4, inside ? columns.x : 0, inside ? columns.y : 0);
    }
  }
  if (first + rows < plane_rows) return;
  const int more = gap + (c + 1 == channels && n + 1 == get_global_size(1) ? end : 0);
  for (int i = 0; i < more; ++i) dst[channel - gap + i] = 0;
}

// dst: [group][row tile][tap][depth][ROW_PANEL], zero past the last row. All taps of a depth together: they are neighbours in memory. Work-items: row tile,
// block of `depths` depths, group. Neighbouring tiles of the input gradient are neighbours in memory at each depth, so that they share its lines and pages.
__kernel void pack_taps(ARG(const E, w), ARG(T, dst), ARG(const int, table), int header, int taps, int rows, int depth, int depths, long w_row, long w_depth,
                        long w_group) {
  BIND(const E, w);
  BIND(T, dst);
  BIND(const int, table);
  const int tile = get_global_id(0), first = get_global_id(1) * depths, group = get_global_id(2), count = min(TM, rows - tile * TM);
  w += group * w_group + (long)tile * TM * w_row + first * w_depth;
  dst += (((long)group * get_global_size(0) + tile) * taps * depth + first) * ROW_PANEL;
  for (int tap = 0; tap < taps; ++tap) {
    __global const E *from = w + table[header + 2 * tap + 1];
    __global T *to = dst + (long)tap * depth * ROW_PANEL;
    for (int c = first; c < min(first + depths, depth); ++c, from += w_depth, to += ROW_PANEL) {
      T panel[ROW_PANEL];  // loaded element by element, stored as a vector
      if (count == ROW_PANEL) {
        _Pragma("unroll") for (int i = 0; i < ROW_PANEL; ++i) panel[i] = LOAD_AT(from, i * w_row);
      } else {
        _Pragma("unroll") for (int i = 0; i < ROW_PANEL; ++i) panel[i] = i < count ? LOAD_AT(from, i * w_row) : (T)0;
      }
      CAT(vstore, ROW_PANEL)(CAT(vload, ROW_PANEL)(0, panel), 0, to);
    }
  }
}

// A phase of the table: taps begin to stop, the first output's depth, row and column, the output's depths, rows and columns.
#define PHASE 8

// Stores the TN columns at place `first` of the grid, of `rows` rows from output channel k on in `sums`, leaving out what lies between the output's rows.
static inline void store_grid(const T *sums, __global E *y, long8 y_strides, int first, int plane, int width, int4 out, int rows, long k EPILOGUE_DECLARE) {
  for (int j = 0; j < TN;) {
    const int o = (first + j) / plane, rest = (first + j) % plane, p = rest / width, q = rest % width;
    if (o >= out.x) break;
    const int run = p < out.y ? min(out.z - q, TN - j) : 0;
    const long at = ((long)o * out.y + p) * out.z + q;
    __global E *to = y + o * y_strides.s2 + p * y_strides.s3 + q * y_strides.s4;
    const T *from = sums + j;
    for (int i = 0; run > 0 && i < rows; ++i, to += y_strides.s1, from += TN) {
      int l = 0;
      if (y_strides.s4 == 1) {
#ifdef EPILOGUE
        for (; l + VW <= run; l += VW) finish_v(VLOAD(from + l), to + l, k + i, at + l EPILOGUE_PASS);
#else
        for (; l + 4 <= run; l += 4) STORE4(to + l, vload4(0, from + l));
#endif
      }
      for (; l < run; ++l) finish_1(from[l], to + l * y_strides.s4, k + i, at + l EPILOGUE_PASS);
    }
    j += width - q;
  }
}

// Work-items: grid tile; image of a block; phase, row-tile group, channel group and block of images, the phase fastest. Neighbours in this order run one after
// the other, and so share in the cache what they have in common: the columns of one image for a group of row tiles, or one row tile's weights for a block of
// images. height, width: of the grid. y_strides: of the output, times the phases' stride where they step over it; phase_strides: without. x_channel: elements
// of a padded channel.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void tile(ARG(const T, x), ARG(const T, w), ARG(const E, bias), ARG(E, y), ARG(const int, table),
                                                                  int images, int phases, int taps, int rows, int depth, int row_tiles, int tiles,
                                                                  int groups, long x_channel, int height, int width, long8 y_strides, long8 phase_strides,
                                                                  long bias_stride, int has_bias EPILOGUE_PARAMS) {
  BIND(const T, x);
  BIND(const T, w);
  BIND(const E, bias);
  BIND(E, y);
  BIND(const int, table);
  const int row_groups = (row_tiles + tiles - 1) / tiles;
  int id = get_global_id(2);
  const int phase = id % phases, first_tile = (id /= phases) % row_groups * tiles, group = (id /= row_groups) % groups;
  const int n = id / groups * (int)get_global_size(1) + (int)get_global_id(1);
  if (n >= images) return;
  __global const int *head = table + phase * PHASE;
  __global const int *tap_table = table + phases * PHASE;
  const int begin = head[0], stop = head[1], plane = height * width, first = get_global_id(0) * TN;
  const int4 out = (int4)(head[5], head[6], head[7], 0);
  if (out.x == 0 || out.z == 0 || first >= (out.x - 1) * plane + out.y * width) return;
  x += ((long)n * groups + group) * depth * x_channel + first;
  y += n * y_strides.s0 + (long)group * rows * y_strides.s1 + head[2] * phase_strides.s2 + head[3] * phase_strides.s3 + head[4] * phase_strides.s4;
  EPILOGUE_BIND(n)
  const int last_tile = min(first_tile + tiles, row_tiles);
  const int o = first / plane, p = first % plane / width, q = first % width;
  if (p >= out.y && first % plane + TN <= plane) return;  // between two depths
  const bool whole = q + TN <= out.z && p < out.y && y_strides.s4 == 1;
  for (int tile = first_tile; tile < last_tile; ++tile) {
    __global const T *a = w + (((long)group * row_tiles + tile) * taps + begin) * depth * ROW_PANEL;
    TILE_ZERO
    for (int t = begin; t < stop; ++t) {
      __global const T *b = x + tap_table[2 * t];
      for (int c = 0; c < depth; ++c, a += ROW_PANEL, b += x_channel) TILE_STEP(a, b)
    }
    const int row = tile * TM, count = min(TM, rows - row);
    const long k = (long)group * rows + row;
    if (has_bias) {
      FOR_ROWS(ADD_BIAS)
    }
    __global E *to = y + row * y_strides.s1;
    if (whole) {
      const long at = ((long)o * out.y + p) * out.z + q;
      to += o * y_strides.s2 + p * y_strides.s3 + q;
#define STORE_WHOLE(i)                                                                          \
  if (i < count) {                                                                              \
    finish_v(left##i, to + i * y_strides.s1, k + i, at EPILOGUE_PASS);                          \
    finish_v(right##i, to + i * y_strides.s1 + VW, k + i, at + VW EPILOGUE_PASS);               \
  }
      FOR_ROWS(STORE_WHOLE)
    } else {
      T sums[TM * TN];
#define SPILL(i) VSTORE(left##i, sums + i * TN), VSTORE(right##i, sums + i * TN + VW);
      FOR_ROWS(SPILL)
      store_grid(sums, to, y_strides, first, plane, width, out, count, k EPILOGUE_PASS);
    }
  }
}
#endif
