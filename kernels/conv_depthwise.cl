// Convolution with as many groups as input channels, for CPU-class devices: a work-item copies a block of rows of one channel, padded, into local memory (on
// a CPU a buffer that each thread uses again and again, and that stays in its first-level cache), where the inputs of neighbouring outputs are neighbours at
// every tap; see conv.cl. Outputs are numbered on a grid as wide as the padded rows, so that vectors fill where rows are short. As in conv.cl, an infinite
// weight makes NaN of padding.
//
// A block has rows x columns outputs. Local memory holds slots of `slot` elements of the source, one for each depth of the window (and, for the input gradient,
// for each output channel), SLACK zeros because vectors reach past the end, and a grid of outputs with as much slack.
#include "lib/arg.h"
#include "lib/tile.h"
#include "lib/conv.h"
#include "lib/conv_chunks.h"
#include "lib/epilogue.h"
#include "lib/padded_planes.h"
#include "lib/store_row.h"

#define SLACK (4 * VW)
// A phase of the table: taps begin to stop, the first output's depth, row and column, the output's depths, rows and columns. A tap: place, offset in w.
#define PHASE 8

// The source's depth that meets depth `at` of the destination at depth z of the window; -1 where there is none.
static inline int source_depth(int at, int z, int gradient, int stride, int pad, int dilation, int size) {
  const int front = gradient ? at + pad - z * dilation : at * stride - pad + z * dilation;
  if (front < 0 || (gradient && front % stride != 0)) return -1;
  const int depth = gradient ? front / stride : front;
  return depth < size ? depth : -1;
}

// Forward and, with `gradient`, the input's gradient. src, dst: x and y, or grad_out and grad_in. Work-items: block, row_blocks of them one below the other;
// channel of x and depth of dst; image. block_size: rows and columns of outputs. table: as conv.cl's, over planes of `size`, of rows and columns only.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void planes(ARG(const E, src), ARG(const E, w), ARG(const E, bias), ARG(E, dst), ARG(const int, table),
                                                                    CONV_GEOMETRY, long8 src_strides, long8 w_strides, long8 dst_strides, long bias_stride,
                                                                    int has_bias, int gradient, int phases, int2 before, int2 stride, int2 size, int slot,
                                                                    int row_blocks, int2 block_size, __local T *block EPILOGUE_PARAMS) {
  BIND(const E, src);
  BIND(const E, w);
  BIND(const E, bias);
  BIND(E, dst);
  BIND(const int, table);
  GEOMETRY;
  const int outputs = K / C, depths = gradient ? D : O, source_depths = gradient ? O : D, slots = gradient ? Z * outputs : Z;
  const int c = get_global_id(1) / depths, depth = get_global_id(1) % depths, n = get_global_id(2);
  const int2 first = (int2)(get_global_id(0) % row_blocks, get_global_id(0) / row_blocks) * block_size;
  const int2 from = gradient ? (int2)(P, Q) : (int2)(H, W), step = gradient ? (int2)(stride_h, stride_w) : (int2)(1, 1);
  __local T *grid = block + slots * slot + SLACK;
  for (int i = 0; i < SLACK; ++i) block[slots * slot + i] = 0;
  EPILOGUE_BIND(n)
  src += n * src_strides.s0;
  w += (long)c * outputs * w_strides.s0;
  dst += n * dst_strides.s0 + depth * dst_strides.s2;
  for (int i = 0; i < slots; ++i) {
    const int at = source_depth(depth, i % Z, gradient, stride_d, pad_d, dilation_d, source_depths);
    if (at < 0) {  // nobody takes a tap from it, but vectors reach into it from the slot before
      for (int j = 0; j < SLACK; ++j) block[i * slot + j] = 0;
      continue;
    }
    const long channel = gradient ? (long)c * outputs + i / Z : c;
    fill(block + i * slot, src + channel * src_strides.s1 + at * src_strides.s2, src_strides.s3, src_strides.s4, from, before, stride, size, first);
  }
  for (int turn = 0; turn < (gradient ? phases : outputs); ++turn) {
    const int output = gradient ? 0 : turn;
    __global const int *head = table + (gradient ? turn : 0) * PHASE, *taps = table + phases * PHASE;
    const int rows = min(block_size.x, head[6] - first.x), columns = min(block_size.y, head[7] - first.y);
    if (rows <= 0 || columns <= 0) continue;
    const T start = has_bias ? BIAS_AT(((long)c * outputs + output) * bias_stride) : (T)0;
    for (int place = 0; place < (rows - 1) * size.y + columns; place += 4 * VW) {
      V sum0 = (V)(0), sum1 = (V)(0), sum2 = (V)(0), sum3 = (V)(0);
      for (int i = 0; i < slots; ++i) {
        if (source_depth(depth, i % Z, gradient, stride_d, pad_d, dilation_d, source_depths) < 0) continue;
        __global const E *by = w + (gradient ? i / Z : output) * w_strides.s0 + i % Z * w_strides.s2;
        __local const T *at = block + i * slot + place;
        for (int t = head[0]; t < head[1]; ++t) {
          __local const T *tap = at + taps[2 * t];
          const T value = LOAD_AT(by, taps[2 * t + 1]);
          sum0 = tile_fma(value, VLOAD(tap), sum0);
          sum1 = tile_fma(value, VLOAD(tap + VW), sum1);
          sum2 = tile_fma(value, VLOAD(tap + 2 * VW), sum2);
          sum3 = tile_fma(value, VLOAD(tap + 3 * VW), sum3);
        }
      }
      VSTORE(sum0 + start, grid + place);
      VSTORE(sum1 + start, grid + place + VW);
      VSTORE(sum2 + start, grid + place + 2 * VW);
      VSTORE(sum3 + start, grid + place + 3 * VW);
    }
    const long k = gradient ? c : (long)c * outputs + output;
    __global E *to = dst + k * dst_strides.s1 + (head[3] + first.x * step.x) * dst_strides.s3 + (head[4] + first.y * step.y) * dst_strides.s4;
    for (int row = 0; row < rows; ++row)
      store_row(to + row * step.x * dst_strides.s3, step.y * dst_strides.s4, grid + row * size.y, columns, k,
                ((long)depth * P + first.x + row) * Q + first.y EPILOGUE_PASS);
  }
}

// The weight's gradient: dot products over the grid of a block, with zeros between the rows of grad_out. Work-items: output channel; chunk of images. Local
// memory holds the source's slot and its slack (a row longer, since the products run to a row's end), the grid of grad_out, and a vector of sums for each
// weight. partial: [chunk][output channel][weights].
#define FOR_TAPS(X) REPEAT_9(X)
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void dots(ARG(const E, grad_out), ARG(const E, x), ARG(T, partial), ARG(const int, table),
                                                                  CONV_GEOMETRY, long8 y_strides, long8 x_strides, int2 size, int slot,
                                                                  int2 block_size, int chunk, __local T *block) {
  BIND(const E, grad_out);
  BIND(const E, x);
  BIND(T, partial);
  BIND(const int, table);
  GEOMETRY;
  const int k = get_global_id(0), window = R * S, weights = Z * window, slack = SLACK + size.y, stop = min(N, (int)(get_global_id(1) + 1) * chunk);
  const int2 from = (int2)(H, W), before = (int2)(pad_h, pad_w), stride = (int2)(stride_h, stride_w);
  __local T *grid = block + slot + slack, *sums = grid + block_size.x * size.y + VW;
  for (int i = 0; i < slack; ++i) block[slot + i] = 0;
  for (int i = 0; i < weights * VW; ++i) sums[i] = 0;
  grad_out += k * y_strides.s1;
  x += k / (K / C) * x_strides.s1;
  for (int n = get_global_id(1) * chunk; n < stop; ++n)
    for (int o = 0; o < O; ++o)
      for (int p = 0; p < P; p += block_size.x)
        for (int q = 0; q < Q; q += block_size.y) {
          const int rows = min(block_size.x, P - p), columns = min(block_size.y, Q - q);
          __global const E *g = grad_out + n * y_strides.s0 + o * y_strides.s2 + p * y_strides.s3 + q * y_strides.s4;
          for (int row = 0; row < rows; ++row) pad_row(grid + row * size.y, size.y, g + row * y_strides.s3, y_strides.s4, 0, columns);
          for (int i = 0; i < VW; ++i) grid[rows * size.y + i] = 0;
          for (int z = 0; z < Z; ++z) {
            const int d = source_depth(o, z, 0, stride_d, pad_d, dilation_d, D);
            if (d < 0) continue;
            fill(block, x + n * x_strides.s0 + d * x_strides.s2, x_strides.s3, x_strides.s4, from, before, stride, size, (int2)(p, q));
            for (int t = 0; t < window; t += 9) {
#define TAP(i)                                                       \
  const int tap##i = min(t + i, window - 1);                         \
  __local const T *at##i = block + table[2 * tap##i];                \
  V sum##i = (V)(0);
              FOR_TAPS(TAP)
              for (int j = 0; j < rows * size.y; j += VW) {
                const V value = VLOAD(grid + j);
#define DOT(i) sum##i = MULTIPLY_ADD(value, VLOAD(at##i + j), sum##i);
                FOR_TAPS(DOT)
              }
              __local T *to = sums + (z * window + t) * VW;
#define ADD(i) \
  if (t + i < window) VSTORE(VLOAD(to + i * VW) + sum##i, to + i * VW);
              FOR_TAPS(ADD)
            }
          }
        }
  partial += ((long)get_global_id(1) * K + k) * weights;
  for (int i = 0; i < weights; ++i) partial[i] = sum_lanes(VLOAD(sums + i * VW));
}
