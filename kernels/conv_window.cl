// Convolution with as many groups as input channels, for CPU-class devices and small windows in two dims: forward and, with -DGRADIENT, the input's gradient
// for one output channel a group. Everything but the image's size is known to the compiler: sums of ROWS neighbouring rows, a vector of columns each, stay in
// registers for the whole window, and an input that is loaded once serves all taps above one another.
//
// A work-item takes a block of rows of some channels of an image, one after the other. It copies the rows, padded, into local memory (on a CPU a buffer that
// each thread uses again and again, and that stays in its first-level cache), cleared once, since the channels' padding lies at the same places. A row lies in
// as many parts of PITCH elements as columns have residues modulo the stride, so that inputs of neighbouring outputs are neighbours. The gradient has a phase
// for each residue of its places instead, whose sums are interleaved. As in conv.cl, an infinite weight makes NaN of padding.
#include "lib/arg.h"
#include "lib/tile.h"
#include "lib/conv.h"
#include "lib/epilogue.h"
#include "lib/padded_row.h"
#include "lib/store_row.h"

DEFINE_PAD_ROW(pad_row, __local)
#define UNROLL _Pragma("unroll")

// PARTS_, STEP_: of a padded row and between rows of the source; PHASES_: of the output. REACHES(a, r): whether tap r meets phase a along a dim, and then AT its
// padded place for place i. BEFORE_: the source's index 0 is there in the padded rows.
#ifdef GRADIENT
#define STEP_H 1
#define STEP_W 1
#define PHASES_H STRIDE_H
#define PHASES_W STRIDE_W
#define FROM_TAP(dim, phase, tap) (phase + PAD_##dim - (tap) * DILATION_##dim)
#define REACHES(dim, phase, tap) (FROM_TAP(dim, phase, tap) % STRIDE_##dim == 0)
#define PLACE(dim, phase, tap) (FROM_TAP(dim, phase, tap) / STRIDE_##dim + BEFORE_##dim)
#else
#define STEP_H STRIDE_H
#define STEP_W STRIDE_W
#define PHASES_H 1
#define PHASES_W 1
#define REACHES(dim, phase, tap) 1
#define PLACE(dim, phase, tap) ((tap) * DILATION_##dim)
#endif
#define LINE (STEP_W * PITCH)

// The sums of ROWS rows of each phase, from the padded place `at` on; to: their place in a grid of width `width`. What is stored past the end of a row is
// overwritten by the next one, so that rows go from top to bottom, and their last vectors before the others. All rows are stored, also those that do not exist:
// behind a condition a compiler would compute them one after the other.
static inline void sum_window(__local const T *at, const T *taps, T start, __local T *to, int width) {
  V sums[PHASES_H * PHASES_W * ROWS];
  UNROLL for (int i = 0; i < PHASES_H * PHASES_W * ROWS; ++i) sums[i] = (V)(start);
  UNROLL for (int s = 0; s < WINDOW_W; ++s) {
    UNROLL for (int r = 0; r < WINDOW_H; ++r) {
      const T tap = taps[r * WINDOW_W + s];
      UNROLL for (int a = 0; a < PHASES_H; ++a) {
        UNROLL for (int b = 0; b < PHASES_W; ++b) {
          if (!REACHES(H, a, r) || !REACHES(W, b, s)) continue;
          const int column = PLACE(W, b, s), part = column % STEP_W * PITCH + column / STEP_W;
          UNROLL for (int i = 0; i < ROWS; ++i) {
            const int k = (i * PHASES_H + a) * PHASES_W + b;
            sums[k] = tile_fma(tap, VLOAD(at + (i * STEP_H + PLACE(H, a, r)) * LINE + part), sums[k]);
          }
        }
      }
    }
  }
  UNROLL for (int row = 0; row < PHASES_H * ROWS; ++row, to += width) {
#if PHASES_W == 1
    VSTORE(sums[row], to);
#else
    const V even = sums[2 * row], odd = sums[2 * row + 1];
    V left, right;
    left.even = even.lo, left.odd = odd.lo;
    right.even = even.hi, right.odd = odd.hi;
    VSTORE(left, to);
    VSTORE(right, to + VW);
#endif
  }
}

// src, dst: x and y, or grad_out and grad_in, of sizes from and to. Work-items: block of `rows` rows (of each phase); `channels` channels of x; image. Local
// memory holds the padded rows, `padded` elements with a vector of slack, and a grid of outputs with two.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void window(ARG(const E, src), ARG(const E, w), ARG(const E, bias), ARG(E, dst), int2 from, int2 to,
                                                                    int all_channels, int outputs, int channels, int rows, int padded, long8 src_strides,
                                                                    long8 w_strides, long8 dst_strides, long bias_stride, int has_bias,
                                                                    __local T *block EPILOGUE_PARAMS) {
  BIND(const E, src);
  BIND(const E, w);
  BIND(const E, bias);
  BIND(E, dst);
  const int first = get_global_id(0) * rows, n = get_global_id(2);
  const int stop = min(all_channels, (int)(get_global_id(1) + 1) * channels), out_rows = min(rows * PHASES_H, to.x - first * PHASES_H);
  const int columns = (to.y + PHASES_W - 1) / PHASES_W, last = (columns - 1) / VW * VW;
  const int above = first * STEP_H - BEFORE_H;  // of the source, at the block's first row
  const int begin_row = max(above, 0), stop_row = min(from.x, above + padded / LINE);
  const bool whole_rows = dst_strides.s4 == 1 && dst_strides.s3 == to.y;
  __local T *grid = block + padded + VW;
  for (int i = 0; i < padded + VW; i += VW) VSTORE((V)(0), block + i);
  EPILOGUE_BIND(n)
  src += n * src_strides.s0;
  dst += n * dst_strides.s0 + first * PHASES_H * dst_strides.s3;
  for (int c = get_global_id(1) * channels; c < stop; ++c) {
    for (int h = begin_row; h < stop_row; ++h) {
      __global const E *at = src + c * src_strides.s1 + h * src_strides.s3;
      __local T *line = block + (h - above) * LINE;
      UNROLL for (int part = 0; part < STEP_W; ++part) {
        const int2 range = padded_range(from.y, STEP_W, part - BEFORE_W, PITCH);
        pad_row_copy(line + part * PITCH, at + (part - BEFORE_W) * src_strides.s4, STEP_W * src_strides.s4, range.x, range.y);
      }
    }
    for (int output = 0; output < outputs; ++output) {
      const long k = (long)c * outputs + output;
      T taps[WINDOW_H * WINDOW_W];
      __global const E *by = w + k * w_strides.s0;
      UNROLL for (int r = 0; r < WINDOW_H; ++r) {
        UNROLL for (int s = 0; s < WINDOW_W; ++s) taps[r * WINDOW_W + s] = LOAD_AT(by, r * w_strides.s3 + s * w_strides.s4);
      }
      const T start = has_bias ? BIAS_AT(k * bias_stride) : (T)0;
      for (int row = 0; row * PHASES_H < out_rows; row += ROWS)
        for (int column = last; column >= 0; column -= VW)
          sum_window(block + row * STEP_H * LINE + column, taps, start, grid + row * PHASES_H * to.y + column * PHASES_W, to.y);
      __global E *at = dst + k * dst_strides.s1;
      const long place = (long)first * PHASES_H * to.y;
      if (whole_rows) {
        store_row(at, 1, grid, out_rows * to.y, k, place EPILOGUE_PASS);
      } else {
        for (int row = 0; row < out_rows; ++row)
          store_row(at + row * dst_strides.s3, dst_strides.s4, grid + row * to.y, to.y, k, place + row * to.y EPILOGUE_PASS);
      }
    }
  }
}
