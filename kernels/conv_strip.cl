// Convolution of few input channels in two dims, for CPU-class devices: its sums are short, so that copies of whole tensors, and tiles that cross the ends of
// rows, would take longer than they. A work-item copies the rows of all channels of a group that a strip of output rows needs, padded, into local memory (on a
// CPU a buffer that each thread uses again and again, and that stays in its first-level cache), where the inputs of neighbouring outputs are neighbours at every
// tap; see conv.cl. As there, padding is zeros that are multiplied.
//
// Local memory begins with `slot` elements for each channel: planes of `size`, rows and columns. A table gives each tap's place in them.
#ifdef WEIGHT
#define TM 8  // tiles are ROWS x COLUMNS here
#endif
#define ROW_PANEL (TM <= 8 ? 8 : 16)
#include "lib/arg.h"
#include "lib/tile.h"
#include "lib/conv.h"
#include "lib/epilogue.h"
#include "lib/padded_planes.h"

// Channels of the group, the strip's rows from `first` on; zeros behind, because vectors reach past the end.
static inline void fill_channels(__local T *block, int slack, __global const E *x, long8 x_strides, int channels, int16 sizes, int16 steps, int2 size, int first) {
  GEOMETRY;
  const int slot = stride_h * stride_w * size.x * size.y;
  for (int c = 0; c < channels; ++c)
    fill(block + c * slot, x + c * x_strides.s1, x_strides.s3, x_strides.s4, (int2)(H, W), (int2)(pad_h, pad_w), (int2)(stride_h, stride_w), size,
         (int2)(first, 0));
  for (int i = 0; i < slack; ++i) block[channels * slot + i] = 0;
}

#ifndef WEIGHT
// The register tile's panels lie in global memory, as conv.cl's pack_taps writes them, its columns are neighbours in a row.
static inline void store_lanes(V v, __global E *to, long step, int count, long k, long at EPILOGUE_DECLARE) {
  if (step == 1 && count >= VW) {
    finish_v(v, to, k, at EPILOGUE_PASS);
    return;
  }
  T lanes[VW];
  VSTORE(v, lanes);
  int i = 0;
#ifndef EPILOGUE
  if (step == 1)
    for (; i + 4 <= count; i += 4) STORE4(to + i, vload4(0, lanes + i));
#endif
  for (; i < count; ++i) finish_1(lanes[i], to + i * step, k, at + i EPILOGUE_PASS);
}

// Work-items: strip of `rows` rows; group; image.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void strip(ARG(const E, x), ARG(const T, w), ARG(const E, bias), ARG(E, y), ARG(const int, table),
                                                                   CONV_GEOMETRY, long8 x_strides, long8 y_strides, long bias_stride, int has_bias,
                                                                   int row_tiles, int2 size, int rows, __local T *block EPILOGUE_PARAMS) {
  BIND(const E, x);
  BIND(const T, w);
  BIND(const E, bias);
  BIND(E, y);
  BIND(const int, table);
  GEOMETRY;
  const int first = get_global_id(0) * rows, group = get_global_id(1), n = get_global_id(2), stop = min(rows, P - first);
  const int channels = C / groups, outputs = K / groups, taps = R * S, slot = stride_h * stride_w * size.x * size.y;
  EPILOGUE_BIND(n)
  fill_channels(block, TN, x + n * x_strides.s0 + (long)group * channels * x_strides.s1, x_strides, channels, sizes, steps, size, first);
  y += n * y_strides.s0 + first * y_strides.s3;
  for (int tile = 0; tile < row_tiles; ++tile) {
    const int row = tile * TM, count = min(TM, outputs - row);
    const long k = (long)group * outputs + row;
    __global const T *panels = w + ((long)group * row_tiles + tile) * taps * channels * ROW_PANEL;
    for (int p = 0; p < stop; ++p)
      for (int q = 0; q < Q; q += TN) {
        __global const T *a = panels;
        __local const T *places = block + p * size.y + q;
        const int columns = Q - q;
        TILE_ZERO
        if (columns > VW) {
          for (int t = 0; t < taps; ++t) {
            __local const T *b = places + table[2 * t];
            for (int c = 0; c < channels; ++c, a += ROW_PANEL, b += slot) TILE_STEP(a, b)
          }
        } else {
          for (int t = 0; t < taps; ++t) {
            __local const T *b = places + table[2 * t];
            for (int c = 0; c < channels; ++c, a += ROW_PANEL, b += slot) TILE_STEP_LEFT(a, b)
          }
        }
        if (has_bias) {
          FOR_ROWS(ADD_BIAS)
        }
        const long at = (long)(first + p) * Q + q;
        __global E *to = y + k * y_strides.s1 + p * y_strides.s3 + q * y_strides.s4;
#define STORE_ROW(i)                                                                                                                         \
  if (i < count) {                                                                                                                           \
    store_lanes(left##i, to + i * y_strides.s1, y_strides.s4, columns, k + i, at EPILOGUE_PASS);                                              \
    if (columns > VW) store_lanes(right##i, to + i * y_strides.s1 + VW * y_strides.s4, y_strides.s4, columns - VW, k + i, at + VW EPILOGUE_PASS); \
  }
        FOR_ROWS(STORE_ROW)
      }
  }
}
#endif

#ifdef WEIGHT
// The gradient of the weight: tiles of ROWS output channels by COLUMNS weights (channel and tap, numbered in that order) of dot products along the strip's
// rows. Sums stay vectors until a work-item's last strip; lib/conv_chunks.h adds the work-items'.
#include "lib/conv_chunks.h"
#define COLUMNS 9
#define SUMS (ROWS * COLUMNS)
#define UNROLL _Pragma("unroll")

// Work-items: `chunk` strips, of `rows` rows each, numbered over all images; group, and block of `outputs` of its output channels. partial: [chunk][output
// channel][weight]. Local memory: channels and a vector of slack; ROWS output channels of grad_out's strip, rows `pitch` apart; sums.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void strip_dots(ARG(const E, grad_out), ARG(const E, x), ARG(T, partial), ARG(const int, table),
                                                                        CONV_GEOMETRY, long8 y_strides, long8 x_strides, int2 size, int rows, int strips,
                                                                        int chunk, int outputs, int pitch, __local T *block) {
  BIND(const E, grad_out);
  BIND(const E, x);
  BIND(T, partial);
  BIND(const int, table);
  GEOMETRY;
  const int group = get_global_id(1) % groups, channels = C / groups, taps = R * S, columns = channels * taps;
  const int slot = stride_h * stride_w * size.x * size.y, stop = min(N * strips, (int)(get_global_id(0) + 1) * chunk);
  const int begin_row = get_global_id(1) / groups * outputs, stop_row = min(begin_row + outputs, K / groups);
  const long first_k = (long)group * (K / groups);
  __local T *grid = block + channels * slot + VW, *sums = grid + ROWS * rows * pitch;
  const int tiles = (columns + COLUMNS - 1) / COLUMNS, row_tiles = (outputs + ROWS - 1) / ROWS;
  for (int i = 0; i < row_tiles * tiles * SUMS; ++i) VSTORE((V)(0), sums + i * VW);
  for (int strip = get_global_id(0) * chunk; strip < stop; ++strip) {
    const int n = strip / strips, first = strip % strips * rows, live = min(rows, P - first);
    fill_channels(block, VW, x + n * x_strides.s0 + (long)group * channels * x_strides.s1, x_strides, channels, sizes, steps, size, first);
    __local T *to = sums;
    for (int row = begin_row; row < stop_row; row += ROWS) {
      // Tiles at the edge repeat their last row and column, and drop the sums.
      UNROLL for (int i = 0; i < ROWS; ++i) {
        __global const E *g = grad_out + n * y_strides.s0 + (first_k + min(row + i, stop_row - 1)) * y_strides.s1 + first * y_strides.s3;
        for (int p = 0; p < live; ++p) pad_row(grid + (i * rows + p) * pitch, pitch, g + p * y_strides.s3, y_strides.s4, 0, Q);
      }
      for (int column = 0; column < columns; column += COLUMNS, to += SUMS * VW) {
        int places[COLUMNS];
        V tile[SUMS];
        UNROLL for (int j = 0; j < COLUMNS; ++j) {
          const int at = min(column + j, columns - 1);
          places[j] = at / taps * slot + table[2 * (at % taps)];
        }
        UNROLL for (int i = 0; i < SUMS; ++i) tile[i] = VLOAD(to + i * VW);
        for (int p = 0; p < live; ++p) {
          __local const T *g = grid + p * pitch, *v = block + p * size.y;
          for (int q = 0; q < Q; q += VW, g += VW, v += VW) {
            V grads[ROWS];
            UNROLL for (int i = 0; i < ROWS; ++i) grads[i] = VLOAD(g + i * rows * pitch);
            UNROLL for (int j = 0; j < COLUMNS; ++j) {
              const V value = VLOAD(v + places[j]);
              UNROLL for (int i = 0; i < ROWS; ++i) tile[i * COLUMNS + j] = MULTIPLY_ADD(grads[i], value, tile[i * COLUMNS + j]);
            }
          }
        }
        UNROLL for (int i = 0; i < SUMS; ++i) VSTORE(tile[i], to + i * VW);
      }
    }
  }
  partial += (long)get_global_id(0) * K * columns;
  for (int row = begin_row; row < stop_row; ++row)
    for (int column = 0; column < columns; ++column) {
      const int tile = (row - begin_row) / ROWS * tiles + column / COLUMNS, sum = (row - begin_row) % ROWS * COLUMNS + column % COLUMNS;
      partial[(first_k + row) * columns + column] = sum_lanes(VLOAD(sums + (tile * SUMS + sum) * VW));
    }
}
#endif
