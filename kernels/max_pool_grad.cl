// d, the gradient of the input: each element sums the gradients of the windows whose index names it, in the order of p, then q. The index comes from
// max_pool with the same geometry; one that lies outside the plane is passed over.
//
// One program holds one variant; both take any strides and add in the same order:
//   PLANE   a work-item owns `per_item` planes: clears each, then adds the outputs in turn to where they point. Work: N*C planes.
//   GATHER  a work-item does one element of d and looks through the windows over it. Work: N*C*H*W.
#include "lib/arg.h"
#include "lib/pool.h"

kernel void max_pool_grad(ARG(const T, g), ARG(const long, index), ARG(T, d), int4 size, int8 window, int channels, int work, int per_item, long4 gs,
                          long4 is, long4 ds) {
  BIND(const T, g);
  BIND(const long, index);
  BIND(T, d);
  const int id = (int)get_global_id(0);

#ifdef PLANE
  const bool dense = ds.s3 == 1 && ds.s2 == IN_W;
  const int last = id * per_item + min(per_item, work - id * per_item);
  for (int plane = id * per_item; plane < last; ++plane) {
    const int c = plane % channels, n = plane / channels;
    global T *dst = d + n * ds.s0 + c * ds.s1;
    for (int h = 0; h < IN_H; ++h) {
      for (int w = 0; w < IN_W; ++w) dst[h * ds.s2 + w * ds.s3] = 0;
    }
    for (int p = 0; p < OUT_H; ++p) {
      const global T *gr = g + n * gs.s0 + c * gs.s1 + p * gs.s2;
      const global long *ir = index + n * is.s0 + c * is.s1 + p * is.s2;
      for (int q = 0; q < OUT_W; ++q) {
        const long at = ir[q * is.s3];
        if (at < 0 || at >= (long)IN_H * IN_W) continue;
        const int flat = (int)at;
        dst[dense ? flat : flat / IN_W * ds.s2 + flat % IN_W * ds.s3] += gr[q * gs.s3];
      }
    }
  }

#else
  if (id >= work) return;
  const int w = id % IN_W, h = id / IN_W % IN_H, plane = id / IN_W / IN_H, c = plane % channels, n = plane / channels;
  const int2 ps = windows_over(h, OUT_H, WINDOW_H, STRIDE_H, PAD_H, DILATION_H);
  const int2 qs = windows_over(w, OUT_W, WINDOW_W, STRIDE_W, PAD_W, DILATION_W);
  const global T *gp = g + n * gs.s0 + c * gs.s1;
  const global long *ip = index + n * is.s0 + c * is.s1;
  T sum = 0;
  for (int p = ps.x; p < ps.y; ++p) {
    for (int q = qs.x; q < qs.y; ++q) {
      if (ip[p * is.s2 + q * is.s3] == (long)h * IN_W + w) sum += gp[p * gs.s2 + q * gs.s3];
    }
  }
  d[n * ds.s0 + c * ds.s1 + h * ds.s2 + w * ds.s3] = sum;
#endif
}
