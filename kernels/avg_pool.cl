// y, the average of each window of x (lib/avg_pool.h says of what). A window that lies wholly in the padding gives 0.
//
// One program holds one variant; both take any strides:
//   ROWS    a work-item does `per_item` rows of outputs, eight neighbours at once where the whole windows lie inside and x and y have stride 1 along the
//           width. Work: N*C*O*P rows.
//   DIRECT  a work-item does one output. Work: N*C*O*P*Q.
#include "lib/arg.h"
#include "lib/pool.h"
#include "lib/avg_pool.h"
#include "lib/vector8.h"

static inline T average(const global E *x, long8 xs, Cover slices, Cover rows, Cover columns, T divisor_override) {
  if (slices.first >= slices.end || rows.first >= rows.end || columns.first >= columns.end) return 0;
  T sum = 0;
  for (int d = slices.first; d < slices.end; ++d) {
    for (int h = rows.first; h < rows.end; ++h) {
      const global E *row = x + d * xs.s2 + h * xs.s3;
      for (int w = columns.first; w < columns.end; ++w) sum += LOAD_AT(row, w * xs.s4);
    }
  }
  return sum / divisor(slices.count, rows.count, columns.count, divisor_override);
}

kernel void avg_pool(ARG(const E, x), ARG(E, y), int8 size, int16 window, int channels, I work, I per_item, long8 xs, long8 ys, int include_pad,
                     T divisor_override) {
  BIND(const E, x);
  BIND(E, y);
  const I id = (I)get_global_id(0);

#ifdef ROWS
  const int2 inside = interior(IN_W, OUT_W, WINDOW_W, STRIDE_W, PAD_W, 1);
  // Whole vectors run over [inside.x, end); the last one overlaps the one before where 8 does not divide.
  const int end = xs.s4 == 1 && ys.s4 == 1 && inside.y - inside.x >= 8 ? inside.y : inside.x;
  const I last = id * per_item + min(per_item, work - id * per_item);
  for (I row = id * per_item; row < last; ++row) {
    const Site o = site_of(row, channels, OUT_D, OUT_H, 1);
    const global E *src = x + plane_at(o, xs);
    global E *dst = y + plane_at(o, ys) + place_at(o, ys);
    const Cover slices = cover(o.d, IN_D, WINDOW_D, STRIDE_D, PAD_D, include_pad), rows = cover(o.h, IN_H, WINDOW_H, STRIDE_H, PAD_H, include_pad);
    const bool any = slices.first < slices.end && rows.first < rows.end;
    const T scale = any ? (T)1 / divisor(slices.count, rows.count, WINDOW_W, divisor_override) : (T)0;
    for (int q = inside.x; q < end; q += 8) {
      q = min(q, end - 8);
      V8 sum = (V8)((T)0);
      for (int d = slices.first; d < slices.end; ++d) {
        for (int h = rows.first; h < rows.end; ++h) {
          const global E *at = src + d * xs.s2 + h * xs.s3 + (q * STRIDE_W - PAD_W);
          for (int s = 0; s < WINDOW_W; ++s) sum += load_step(at + s, STRIDE_W);
        }
      }
      STORE8(dst + q, sum * scale);
    }
    for (int q = 0; q < OUT_W; ++q) {
      if (q == inside.x) q = end;
      if (q >= OUT_W) break;
      STORE_AT(dst, q * ys.s4, average(src, xs, slices, rows, cover(q, IN_W, WINDOW_W, STRIDE_W, PAD_W, include_pad), divisor_override));
    }
  }

#else
  if (id >= work) return;
  const Site o = site_of(id, channels, OUT_D, OUT_H, OUT_W);
  STORE_AT(y, plane_at(o, ys) + place_at(o, ys),
           average(x + plane_at(o, xs), xs, cover(o.d, IN_D, WINDOW_D, STRIDE_D, PAD_D, include_pad), cover(o.h, IN_H, WINDOW_H, STRIDE_H, PAD_H, include_pad),
                   cover(o.w, IN_W, WINDOW_W, STRIDE_W, PAD_W, include_pad), divisor_override));
#endif
}
