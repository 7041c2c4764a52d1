// y and (INDEX) the flat position h*W+w of the maximum of each window: the first of equals; a NaN beats every number and a later NaN an
// earlier one; padding never wins, and a window with no tap inside the input gives -inf and -1.
//
// One program holds one variant; both take any strides:
//   ROWS    a work-item does `per_item` rows of outputs, eight neighbours at once where the whole windows lie inside and xs.w == 1 and ys.w == 1
//           (and is.w == 1). Work: N*C*P rows.
//   DIRECT  a work-item does one output. Work: N*C*P*Q.
#include "lib/arg.h"
#include "lib/pool.h"
#include "lib/vector8.h"

#ifdef INDEX
#define INDEX_PARAM ARG(long, index),
#else
#define INDEX_PARAM
#endif

// One output, from the plane at x.
static inline T max_window(const global T *x, int4 size, int8 window, long4 xs, int p, int q, int *at) {
  const int h0 = p * STRIDE_H - PAD_H, w0 = q * STRIDE_W - PAD_W;
  const int2 rows = taps_inside(h0, WINDOW_H, DILATION_H, IN_H), columns = taps_inside(w0, WINDOW_W, DILATION_W, IN_W);
  const bool any = rows.x < rows.y && columns.x < columns.y;
  T best = (T)-INFINITY;
  *at = any ? (h0 + rows.x * DILATION_H) * IN_W + w0 + columns.x * DILATION_W : -1;
  for (int r = rows.x; r < rows.y; ++r) {
    const int h = h0 + r * DILATION_H;
    for (int s = columns.x; s < columns.y; ++s) {
      const int w = w0 + s * DILATION_W;
      const T v = x[h * xs.s2 + w * xs.s3];
      if (v > best || v != v) {
        best = v;
        *at = h * IN_W + w;
      }
    }
  }
  return best;
}

kernel void max_pool(ARG(const T, x), ARG(T, y), INDEX_PARAM int4 size, int8 window, int channels, int work, int per_item, long4 xs, long4 ys
#ifdef INDEX
                     , long4 is
#endif
) {
  BIND(const T, x);
  BIND(T, y);
#ifdef INDEX
  BIND(long, index);
#endif
  const int id = (int)get_global_id(0);

#ifdef ROWS
#ifdef INDEX
  const bool neighbours = xs.s3 == 1 && ys.s3 == 1 && is.s3 == 1;
#else
  const bool neighbours = xs.s3 == 1 && ys.s3 == 1;
#endif
  const int2 inside = interior(IN_W, OUT_W, WINDOW_W, STRIDE_W, PAD_W, DILATION_W);
  // Whole vectors run over [inside.x, end); the last one overlaps the one before where 8 does not divide.
  const int end = neighbours && inside.y - inside.x >= 8 ? inside.y : inside.x;
  const M8 lane = (M8)(0, 1, 2, 3, 4, 5, 6, 7) * STRIDE_W;
  const int last = id * per_item + min(per_item, work - id * per_item);
  for (int row = id * per_item; row < last; ++row) {
    const int p = row % OUT_H, plane = row / OUT_H, c = plane % channels, n = plane / channels;
    const global T *src = x + n * xs.s0 + c * xs.s1;
    global T *dst = y + n * ys.s0 + c * ys.s1 + p * ys.s2;
#ifdef INDEX
    global long *dst_index = index + n * is.s0 + c * is.s1 + p * is.s2;
#endif
    const int h0 = p * STRIDE_H - PAD_H;
    const int2 rows = taps_inside(h0, WINDOW_H, DILATION_H, IN_H);
    for (int q = inside.x; q < end; q += 8) {
      q = min(q, end - 8);
      const int w0 = q * STRIDE_W - PAD_W;
      V8 best = (V8)((T)-INFINITY);
      M8 at = rows.x < rows.y ? lane + (M8)((h0 + rows.x * DILATION_H) * IN_W + w0) : (M8)(-1);
      for (int r = rows.x; r < rows.y; ++r) {
        const int h = h0 + r * DILATION_H;
        for (int s = 0; s < WINDOW_W; ++s) {
          const int w = w0 + s * DILATION_W;
          const V8 v = load_step(src + h * xs.s2 + w, STRIDE_W);
          const M8 wins = (v > best) | (v != v);
          best = wins ? v : best;
          at = wins ? lane + (M8)(h * IN_W + w) : at;
        }
      }
      vstore8(best, 0, dst + q);
#ifdef INDEX
      vstore8(convert_long8(at), 0, dst_index + q);
#endif
    }
    for (int q = 0; q < OUT_W; ++q) {
      if (q == inside.x) q = end;
      if (q >= OUT_W) break;
      int at;
      dst[q * ys.s3] = max_window(src, size, window, xs, p, q, &at);
#ifdef INDEX
      dst_index[q * is.s3] = at;
#endif
    }
  }

#else
  if (id >= work) return;
  const int q = id % OUT_W, p = id / OUT_W % OUT_H, plane = id / OUT_W / OUT_H, c = plane % channels, n = plane / channels;
  int at;
  y[n * ys.s0 + c * ys.s1 + p * ys.s2 + q * ys.s3] = max_window(x + n * xs.s0 + c * xs.s1, size, window, xs, p, q, &at);
#ifdef INDEX
  index[n * is.s0 + c * is.s1 + p * is.s2 + q * is.s3] = at;
#endif
#endif
}
