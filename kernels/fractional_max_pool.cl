// y and index, the maximum of each window and its flat position (lib/maximum.h). Along a spatial dim, u being the plane's sample and a = (in - kernel) / (out
// - 1), window i begins at trunc((i + u) a) - trunc(u a), the last one at in - kernel. samples [N, C, rank]: two dims: width, height; three: depth, height,
// width. size as in lib/pool.h; a work-item does one output; any strides (ss: n, c, the sample). Work: N*C*O*P*Q.
#include "lib/arg.h"
#include "lib/maximum.h"

// The truncation shows every rounding, so that products and sums must not be fused.
#pragma OPENCL FP_CONTRACT OFF

static inline int window_begin(int i, T u, int in, int out, int taps) {
  if (i == out - 1) return in - taps;
  const T a = (T)(in - taps) / (T)(out - 1);
  return (int)(((T)i + u) * a) - (int)(u * a);
}

kernel void fractional_max_pool(ARG(const E, x), ARG(const E, samples), ARG(E, y), ARG(long, index), int8 size, int4 taps, int rank, int channels, I work,
                                long8 xs, long4 ss, long8 ys, long8 is) {
  BIND(const E, x);
  BIND(const E, samples);
  BIND(E, y);
  BIND(long, index);
  const I id = (I)get_global_id(0);
  if (id >= work) return;
  const Site o = site_of(id, channels, OUT_D, OUT_H, OUT_W);
  const global E *u = samples + o.n * ss.s0 + o.c * ss.s1;
  int4 begin = (int4)(0);
  if (rank == 3) begin.s0 = window_begin(o.d, LOAD_AT(u, 0), IN_D, OUT_D, taps.s0);
  begin.s1 = window_begin(o.h, LOAD_AT(u, ss.s2), IN_H, OUT_H, taps.s1);
  begin.s2 = window_begin(o.w, LOAD_AT(u, rank == 3 ? 2 * ss.s2 : 0), IN_W, OUT_W, taps.s2);
  // A sample outside 0 … 1 must not lead outside of x.
  begin = clamp(begin, (int4)(0), (int4)(IN_D, IN_H, IN_W, 1) - taps);
  I at;
  STORE_AT(y, plane_at(o, ys) + place_at(o, ys), box_maximum(x + plane_at(o, xs), size, xs, begin, begin + taps, &at));
  index[plane_at(o, is) + place_at(o, is)] = at;
}
