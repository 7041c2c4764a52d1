// Layer and group normalisation: y = (x - mean) * invstd * weight + bias of each slice, invstd = 1 / sqrt(variance + eps); with RMS
// y = x * invstd * weight + bias, invstd = 1 / sqrt(mean of squares + eps). weight, bias, mean and invstd may be NULL. The walk and the variants: lib/slice.h;
// weight and bias lie in slices and lines too, with stride 0 where they have fewer dims. A slice is read twice for its moments, part by part, and once
// more for y; VECTOR has loops of their own for whole vectors with weights that are neighbours, or the same along a line.
#include "lib/slice.h"
#include "lib/moments.h"

// For x, y, weight and bias: strides along slices (s), lines (l) and inner (i). ms, vs: of mean and invstd along slices.
kernel void normalize_slices(ARG(const E, x), ARG(const P, weight), ARG(const P, bias), ARG(E, y), ARG(T, mean), ARG(T, invstd), I slices, I lines, I inner,
                             I per_item, int columns, long8 slice_dims, long8 line_dims, long8 xs, long8 xl, long xi, long8 ys, long8 yl, long yi, long8 ws,
                             long8 wl, long wi, long8 bs, long8 bl, long bi, long8 ms, long8 vs, T eps) {
  BIND(const E, x);
  BIND(const P, weight);
  BIND(const P, bias);
  BIND(E, y);
  BIND(T, mean);
  BIND(T, invstd);
#ifdef GROUP
  local T scratch[4 * GROUP];
#endif
  FOR_SLICES {
    const global E *src = x + space_offset(slice_dims, xs, slice);
    global E *dst = y + space_offset(slice_dims, ys, slice);
#ifdef RMS
    T sum = 0, lost = 0;
    FOR_LINES {
      const global E *p = src + space_offset(line_dims, xl, line);
#ifdef VECTOR
      FOR_BLOCKS {
        const I inner_end = BLOCK_END;
        V squares = (V)((T)0), squares1 = squares, squares2 = squares, squares3 = squares;
        I i = from;
        for (; inner_end - i >= 64; i += 64) {
          const V v = LOAD16(p + i), v1 = LOAD16(p + i + 16), v2 = LOAD16(p + i + 32), v3 = LOAD16(p + i + 48);
          squares += v * v;
          squares1 += v1 * v1;
          squares2 += v2 * v2;
          squares3 += v3 * v3;
        }
        for (; i < inner_end; i += 16) {
          const V v = READ(p, xi);
          squares += v * v;
        }
        ADD(T, sum, lost, lanes_sum((squares + squares1) + (squares2 + squares3)))
      }
#else
      T squares = 0, squares_lost = 0;
      FOR_INNER {
        const T v = READ(p, xi);
        ADD(T, squares, squares_lost, v * v)
      }
      ADD(T, sum, lost, compensated_total(squares, squares_lost))
#endif
    }
    sum = COMPENSATED(sum, lost);
#ifdef GROUP
    sum = group_sum(scratch, sum);
#endif
    const T inv = (T)1 / sqrt(sum / ((T)lines * (T)inner) + eps);
#define CENTRED(v) (v)
#else
    Moments all = no_moments();
    FOR_LINES all = line_moments(all, src + space_offset(line_dims, xl, line), xi, 0, inner, columns, 1);
#ifdef GROUP
    all = group_moments(scratch, all);
#endif
    const T rough = all.mean, low = all.low;
    const T inv = (T)1 / sqrt(all.m2 / all.n + eps);
    if (mean != 0 && STORES) mean[space_offset(slice_dims, ms, slice)] = moments_mean(all);
#define CENTRED(v) ((v) - rough - low)
#endif
    if (invstd != 0 && STORES) invstd[space_offset(slice_dims, vs, slice)] = inv;
    FOR_LINES {
      const global E *p = src + space_offset(line_dims, xl, line);
      global E *q = dst + space_offset(line_dims, yl, line);
      const global P *w = weight != 0 ? weight + space_offset(slice_dims, ws, slice) + space_offset(line_dims, wl, line) : weight;
      const global P *b = bias != 0 ? bias + space_offset(slice_dims, bs, slice) + space_offset(line_dims, bl, line) : bias;
#ifdef VECTOR
      const I inner_end = inner;
      I i = 0;
      if (w != 0 && b != 0 && wi == 1 && bi == 1) {
        for (; inner - i >= 16; i += 16) STORE16(q + i, CENTRED(LOAD16(p + i)) * (inv * LOAD_P16(w + i)) + LOAD_P16(b + i));
      } else if ((w == 0 || wi == 0) && (b == 0 || bi == 0)) {
        const T scale = inv * (w != 0 ? LOAD_P(w, 0) : (T)1), shift = b != 0 ? LOAD_P(b, 0) : (T)0;
        for (; inner - i >= 16; i += 16) STORE16(q + i, CENTRED(LOAD16(p + i)) * scale + shift);
      }
      for (; i < inner; i += 16) {
#else
      FOR_INNER {
#endif
        const W v = CENTRED(READ(p, xi)) * (inv * READ_P(w, wi, 1)) + READ_P(b, bi, 0);
        WRITE(q, yi, v);
      }
    }
  }
}
