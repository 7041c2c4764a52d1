// y and (INDEX) the flat position (d*H + h)*W + w of the maximum of each window: the first of equals; a NaN beats every number and a later NaN an
// earlier one; padding never wins, and a window with no tap inside the input gives LOWEST and -1.
//
// One program holds one variant; both take any strides:
//   ROWS    a work-item does `per_item` rows of outputs, eight neighbours at once where the whole windows lie inside and x, y and index have stride 1 along
//           the width. Work: N*C*O*P rows.
//   DIRECT  a work-item does one output. Work: N*C*O*P*Q.
#include "lib/arg.h"
#include "lib/pool.h"
#include "lib/vector8.h"

#ifdef INDEX
#define INDEX_PARAM ARG(long, index),
#define INDEX_STRIDES , long8 is
#define NEIGHBOURS (xs.s4 == 1 && ys.s4 == 1 && is.s4 == 1)
#else
#define INDEX_PARAM
#define INDEX_STRIDES
#define NEIGHBOURS (xs.s4 == 1 && ys.s4 == 1)
#endif

// One output, from the planes at x.
static inline T max_window(const global E *x, int8 size, int16 window, long8 xs, Site o, I *at) {
  const int d0 = o.d * STRIDE_D - PAD_D, h0 = o.h * STRIDE_H - PAD_H, w0 = o.w * STRIDE_W - PAD_W;
  const int2 slices = taps_inside(d0, WINDOW_D, DILATION_D, IN_D), rows = taps_inside(h0, WINDOW_H, DILATION_H, IN_H);
  const int2 columns = taps_inside(w0, WINDOW_W, DILATION_W, IN_W);
  T best = LOWEST;
  *at = -1;
  for (int u = slices.x; u < slices.y; ++u) {
    const int d = d0 + u * DILATION_D;
    for (int r = rows.x; r < rows.y; ++r) {
      const int h = h0 + r * DILATION_H;
      const global E *row = x + d * xs.s2 + h * xs.s3;
      const I flat = ((I)d * IN_H + h) * IN_W;
      for (int s = columns.x; s < columns.y; ++s) {
        const int w = w0 + s * DILATION_W;
        const T v = LOAD_AT(row, w * xs.s4);
        if (v > best || v != v || *at < 0) {
          best = v;
          *at = flat + w;
        }
      }
    }
  }
  return best;
}

kernel void max_pool(ARG(const E, x), ARG(E, y), INDEX_PARAM int8 size, int16 window, int channels, I work, I per_item, long8 xs, long8 ys INDEX_STRIDES) {
  BIND(const E, x);
  BIND(E, y);
#ifdef INDEX
  BIND(long, index);
#endif
  const I id = (I)get_global_id(0);

#ifdef ROWS
  // Whole vectors run over [inside.x, end); the last one overlaps the one before where 8 does not divide.
  const int2 inside = interior(IN_W, OUT_W, WINDOW_W, STRIDE_W, PAD_W, DILATION_W);
  int end = inside.x;
#ifdef LOAD8
  if (NEIGHBOURS && inside.y - inside.x >= 8) end = inside.y;
  const M8 lane = (M8)(0, 1, 2, 3, 4, 5, 6, 7) * STRIDE_W;
#endif
  const I last = id * per_item + min(per_item, work - id * per_item);
  for (I row = id * per_item; row < last; ++row) {
    Site o = site_of(row, channels, OUT_D, OUT_H, 1);
    const global E *src = x + plane_at(o, xs);
    global E *dst = y + plane_at(o, ys) + place_at(o, ys);
#ifdef INDEX
    global long *dst_index = index + plane_at(o, is) + place_at(o, is);
#endif
#ifdef LOAD8
    const int d0 = o.d * STRIDE_D - PAD_D, h0 = o.h * STRIDE_H - PAD_H;
    const int2 slices = taps_inside(d0, WINDOW_D, DILATION_D, IN_D), rows = taps_inside(h0, WINDOW_H, DILATION_H, IN_H);
    const bool any = slices.x < slices.y && rows.x < rows.y;
    // Of the first tap inside. Lanes count from it, so that they fit in 32 bits whatever the size of a plane.
    const I first = ((I)(d0 + slices.x * DILATION_D) * IN_H + h0 + rows.x * DILATION_H) * IN_W;
    for (int q = inside.x; q < end; q += 8) {
      q = min(q, end - 8);
      const int w0 = q * STRIDE_W - PAD_W;
      V8 best = (V8)(LOWEST);
      M8 at = lane;
      for (int u = slices.x; u < slices.y; ++u) {
        const int d = d0 + u * DILATION_D;
        for (int r = rows.x; r < rows.y; ++r) {
          const int h = h0 + r * DILATION_H;
          const global E *from = src + d * xs.s2 + h * xs.s3 + w0;
          const MASK ahead = (MASK)(((I)d * IN_H + h) * IN_W - first);
          for (int s = 0; s < WINDOW_W; ++s) {
            const V8 v = load_step(from + s * DILATION_W, STRIDE_W);
            const M8 wins = (v > best) | (v != v);
            best = wins ? v : best;
            at = wins ? lane + (M8)(ahead + s * DILATION_W) : at;
          }
        }
      }
      STORE8(dst + q, best);
#ifdef INDEX
      vstore8(any ? convert_long8(at) + (long8)(first + w0) : (long8)(-1), 0, dst_index + q);
#endif
    }
#endif
    for (int q = 0; q < OUT_W; ++q) {
      if (q == inside.x) q = end;
      if (q >= OUT_W) break;
      I at;
      o.w = q;
      STORE_AT(dst, q * ys.s4, max_window(src, size, window, xs, o, &at));
#ifdef INDEX
      dst_index[q * is.s4] = at;
#endif
    }
  }

#else
  if (id >= work) return;
  const Site o = site_of(id, channels, OUT_D, OUT_H, OUT_W);
  I at;
  STORE_AT(y, plane_at(o, ys) + place_at(o, ys), max_window(x + plane_at(o, xs), size, window, xs, o, &at));
#ifdef INDEX
  index[plane_at(o, is) + place_at(o, is)] = at;
#endif
#endif
}
