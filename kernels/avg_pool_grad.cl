// d, the gradient of the input: each element sums grad / divisor of the windows over it, in the order of p, then q.
//
// One program holds one variant; both take any strides and add in the same order:
//   PLANE   a work-item owns `per_item` planes: clears each, then adds the outputs in turn to their windows. Work: N*C planes.
//   GATHER  a work-item does one element of d. Work: N*C*H*W.
#include "lib/arg.h"
#include "lib/pool.h"
#include "lib/avg_pool.h"

kernel void avg_pool_grad(ARG(const T, g), ARG(T, d), int4 size, int8 window, int channels, int work, int per_item, long4 gs, long4 ds, int include_pad,
                          T divisor_override) {
  BIND(const T, g);
  BIND(T, d);
  const int id = (int)get_global_id(0);

#ifdef PLANE
  const int last = id * per_item + min(per_item, work - id * per_item);
  for (int plane = id * per_item; plane < last; ++plane) {
    const int c = plane % channels, n = plane / channels;
    global T *dst = d + n * ds.s0 + c * ds.s1;
    for (int h = 0; h < IN_H; ++h) {
      for (int w = 0; w < IN_W; ++w) dst[h * ds.s2 + w * ds.s3] = 0;
    }
    for (int p = 0; p < OUT_H; ++p) {
      const global T *gr = g + n * gs.s0 + c * gs.s1 + p * gs.s2;
      const Cover rows = cover(p, IN_H, WINDOW_H, STRIDE_H, PAD_H, include_pad);
      for (int q = 0; q < OUT_W; ++q) {
        const Cover columns = cover(q, IN_W, WINDOW_W, STRIDE_W, PAD_W, include_pad);
        if (rows.first >= rows.end || columns.first >= columns.end) continue;
        const T v = gr[q * gs.s3] / divisor(rows.count, columns.count, divisor_override);
        for (int h = rows.first; h < rows.end; ++h) {
          for (int w = columns.first; w < columns.end; ++w) dst[h * ds.s2 + w * ds.s3] += v;
        }
      }
    }
  }

#else
  if (id >= work) return;
  const int w = id % IN_W, h = id / IN_W % IN_H, plane = id / IN_W / IN_H, c = plane % channels, n = plane / channels;
  const int2 ps = windows_over(h, OUT_H, WINDOW_H, STRIDE_H, PAD_H, 1), qs = windows_over(w, OUT_W, WINDOW_W, STRIDE_W, PAD_W, 1);
  const global T *gp = g + n * gs.s0 + c * gs.s1;
  T sum = 0;
  for (int p = ps.x; p < ps.y; ++p) {
    const Cover rows = cover(p, IN_H, WINDOW_H, STRIDE_H, PAD_H, include_pad);
    for (int q = qs.x; q < qs.y; ++q) {
      const Cover columns = cover(q, IN_W, WINDOW_W, STRIDE_W, PAD_W, include_pad);
      sum += gp[p * gs.s2 + q * gs.s3] / divisor(rows.count, columns.count, divisor_override);
    }
  }
  d[n * ds.s0 + c * ds.s1 + h * ds.s2 + w * ds.s3] = sum;
#endif
}
