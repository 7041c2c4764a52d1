// d, the gradient of the input: each element sums the gradients of the windows whose index names it, in the order of the windows. The index comes from
// max_pool with the same geometry; one that lies outside the plane is passed over.
//
// One program holds one variant; both take any strides and add in the same order:
//   PLANE   a work-item owns `per_item` planes: clears each, then adds the outputs in turn to where they point. Needs E to be T. Work: N*C planes.
//   GATHER  a work-item does one element of d and looks through the windows over it. Work: elements of d.
#include "lib/arg.h"
#include "lib/pool.h"
#include "lib/storage.h"

kernel void max_pool_grad(ARG(const E, g), ARG(const long, index), ARG(E, d), int8 size, int16 window, int channels, I work, I per_item, long8 gs,
                          long8 is, long8 ds) {
  BIND(const E, g);
  BIND(const long, index);
  BIND(E, d);
  const I id = (I)get_global_id(0);

#ifdef PLANE
  const bool dense = ds.s4 == 1 && ds.s3 == IN_W && ds.s2 == (long)IN_H * IN_W;
  const long volume = (long)IN_D * IN_H * IN_W;
  const I last = id * per_item + min(per_item, work - id * per_item);
  for (I plane = id * per_item; plane < last; ++plane) {
    const Site o = site_of(plane, channels, 1, 1, 1);
    global T *dst = d + plane_at(o, ds);
    for (int u = 0; u < IN_D; ++u) {
      for (int h = 0; h < IN_H; ++h) {
        for (int w = 0; w < IN_W; ++w) dst[u * ds.s2 + h * ds.s3 + w * ds.s4] = 0;
      }
    }
    for (int u = 0; u < OUT_D; ++u) {
      for (int p = 0; p < OUT_H; ++p) {
        const global T *gr = g + plane_at(o, gs) + u * gs.s2 + p * gs.s3;
        const global long *ir = index + plane_at(o, is) + u * is.s2 + p * is.s3;
        for (int q = 0; q < OUT_W; ++q) {
          const long at = ir[q * is.s4];
          if (at < 0 || at >= volume) continue;
          if (dense) {
            dst[at] += gr[q * gs.s4];
          } else {
            const I flat = (I)at, row = flat / IN_W;
            dst[row / IN_H * ds.s2 + row % IN_H * ds.s3 + flat % IN_W * ds.s4] += gr[q * gs.s4];
          }
        }
      }
    }
  }

#else
  if (id >= work) return;
  const Site x = site_of(id, channels, IN_D, IN_H, IN_W);
  const int2 us = windows_over(x.d, OUT_D, WINDOW_D, STRIDE_D, PAD_D, DILATION_D), ps = windows_over(x.h, OUT_H, WINDOW_H, STRIDE_H, PAD_H, DILATION_H);
  const int2 qs = windows_over(x.w, OUT_W, WINDOW_W, STRIDE_W, PAD_W, DILATION_W);
  const global E *gp = g + plane_at(x, gs);
  const global long *ip = index + plane_at(x, is);
  const long flat = ((long)x.d * IN_H + x.h) * IN_W + x.w;
  T sum = 0;
  for (int u = us.x; u < us.y; ++u) {
    for (int p = ps.x; p < ps.y; ++p) {
      for (int q = qs.x; q < qs.y; ++q) {
        if (ip[u * is.s2 + p * is.s3 + q * is.s4] == flat) sum += LOAD_AT(gp, u * gs.s2 + p * gs.s3 + q * gs.s4);
      }
    }
  }
  STORE_AT(d, plane_at(x, ds) + place_at(x, ds), sum);
#endif
}
