// y, the average of each window of x (lib/avg_pool.h says of what). A window that lies wholly in the padding gives 0.
//
// One program holds one variant; both take any strides:
//   ROWS    a work-item does `per_item` rows of outputs, eight neighbours at once where the whole windows lie inside and xs.w == ys.w == 1.
//           Work: N*C*P rows.
//   DIRECT  a work-item does one output. Work: N*C*P*Q.
#include "lib/arg.h"
#include "lib/pool.h"
#include "lib/avg_pool.h"
#include "lib/vector8.h"

static inline T average(const global T *x, long4 xs, Cover rows, Cover columns, T divisor_override) {
  T sum = 0;
  for (int h = rows.first; h < rows.end; ++h) {
    for (int w = columns.first; w < columns.end; ++w) sum += x[h * xs.s2 + w * xs.s3];
  }
  return rows.first < rows.end && columns.first < columns.end ? sum / divisor(rows.count, columns.count, divisor_override) : (T)0;
}

kernel void avg_pool(ARG(const T, x), ARG(T, y), int4 size, int8 window, int channels, int work, int per_item, long4 xs, long4 ys, int include_pad,
                     T divisor_override) {
  BIND(const T, x);
  BIND(T, y);
  const int id = (int)get_global_id(0);

#ifdef ROWS
  const int2 inside = interior(IN_W, OUT_W, WINDOW_W, STRIDE_W, PAD_W, 1);
  // Whole vectors run over [inside.x, end); the last one overlaps the one before where 8 does not divide.
  const int end = xs.s3 == 1 && ys.s3 == 1 && inside.y - inside.x >= 8 ? inside.y : inside.x;
  const int last = id * per_item + min(per_item, work - id * per_item);
  for (int row = id * per_item; row < last; ++row) {
    const int p = row % OUT_H, plane = row / OUT_H, c = plane % channels, n = plane / channels;
    const global T *src = x + n * xs.s0 + c * xs.s1;
    global T *dst = y + n * ys.s0 + c * ys.s1 + p * ys.s2;
    const Cover rows = cover(p, IN_H, WINDOW_H, STRIDE_H, PAD_H, include_pad);
    const T scale = rows.first < rows.end ? (T)1 / divisor(rows.count, WINDOW_W, divisor_override) : (T)0;
    for (int q = inside.x; q < end; q += 8) {
      q = min(q, end - 8);
      V8 sum = (V8)((T)0);
      for (int h = rows.first; h < rows.end; ++h) {
        const global T *at = src + h * xs.s2 + (q * STRIDE_W - PAD_W);
        for (int s = 0; s < WINDOW_W; ++s) sum += load_step(at + s, STRIDE_W);
      }
      vstore8(sum * scale, 0, dst + q);
    }
    for (int q = 0; q < OUT_W; ++q) {
      if (q == inside.x) q = end;
      if (q >= OUT_W) break;
      dst[q * ys.s3] = average(src, xs, rows, cover(q, IN_W, WINDOW_W, STRIDE_W, PAD_W, include_pad), divisor_override);
    }
  }

#else
  if (id >= work) return;
  const int q = id % OUT_W, p = id / OUT_W % OUT_H, plane = id / OUT_W / OUT_H, c = plane % channels, n = plane / channels;
  y[n * ys.s0 + c * ys.s1 + p * ys.s2 + q * ys.s3] =
      average(x + n * xs.s0 + c * xs.s1, xs, cover(p, IN_H, WINDOW_H, STRIDE_H, PAD_H, include_pad),
              cover(q, IN_W, WINDOW_W, STRIDE_W, PAD_W, include_pad), divisor_override);
#endif
}
