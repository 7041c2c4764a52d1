// Layer and group normalisation: y = (x - mean) * invstd * weight + bias of each slice, invstd = 1 / sqrt(variance + eps); with RMS
// y = x * invstd * weight + bias, invstd = 1 / sqrt(mean of squares + eps). weight, bias, mean and invstd may be NULL. The walk and the variants: lib/slice.h;
// weight and bias lie in slices and lines too, with stride 0 where they have fewer dims. A slice is read twice for its moments, part by part, and once
// more for y.
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
      W squares = (W)((T)0), squares_lost = squares;
      FOR_INNER {
        const W v = READ(p, xi);
        ADD(W, squares, squares_lost, v * v)
      }
      ADD(T, sum, lost, compensated_total(squares, squares_lost))
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
      FOR_INNER {
        const W v = CENTRED(READ(p, xi)) * (inv * READ_P(w, wi, 1)) + READ_P(b, bi, 0);
        WRITE(q, yi, v);
      }
    }
  }
}
