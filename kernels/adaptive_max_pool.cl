// y and index, the maximum over floor(i * in / out) … ceil((i + 1) * in / out) along each spatial dim and its flat position (lib/maximum.h). size as in
// lib/pool.h. A work-item does one output; any strides. Work: N*C*O*P*Q.
#include "lib/arg.h"
#include "lib/maximum.h"

static inline int first_of(int i, int in, int out) { return (int)((long)i * in / out); }
static inline int end_of(int i, int in, int out) { return (int)(((long)(i + 1) * in + out - 1) / out); }

kernel void adaptive_max_pool(ARG(const E, x), ARG(E, y), ARG(long, index), int8 size, int channels, I work, long8 xs, long8 ys, long8 is) {
  BIND(const E, x);
  BIND(E, y);
  BIND(long, index);
  const I id = (I)get_global_id(0);
  if (id >= work) return;
  const Site o = site_of(id, channels, OUT_D, OUT_H, OUT_W);
  const int4 begin = (int4)(first_of(o.d, IN_D, OUT_D), first_of(o.h, IN_H, OUT_H), first_of(o.w, IN_W, OUT_W), 0);
  const int4 end = (int4)(end_of(o.d, IN_D, OUT_D), end_of(o.h, IN_H, OUT_H), end_of(o.w, IN_W, OUT_W), 0);
  I at;
  STORE_AT(y, plane_at(o, ys) + place_at(o, ys), box_maximum(x + plane_at(o, xs), size, xs, begin, end, &at));
  index[plane_at(o, is) + place_at(o, is)] = at;
}
