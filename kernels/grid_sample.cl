// y[n, c, o] = x at the position that the coordinates grid[n, o] name (lib/grid.h), between its elements by weights that multiply over the dims. Spatial dims
// of x are size.s0 … s2, of y size.s3 … s5; two dims have a depth of 1. In three dims (RANK) a place outside x adds nothing, in two it adds zero times its
// weight, so that a coordinate that is not finite shows. A work-item does one place o of all channels; strides are any (n, c, d, h, w; grid: n, d, h, w,
// coordinate). Work: N*O*P*Q.
#include "lib/arg.h"
#include "lib/grid.h"

kernel void grid_sample(ARG(const E, x), ARG(const E, grid), ARG(E, y), int8 size, int channels, int border, int align, I work, long8 xs, long8 gs, long8 ys) {
  BIND(const E, x);
  BIND(const E, grid);
  BIND(E, y);
  const I id = (I)get_global_id(0);
  if (id >= work) return;
  const int q = (int)(id % size.s5), p = (int)(id / size.s5 % size.s4), o = (int)(id / size.s5 / size.s4 % size.s3);
  const I n = id / size.s5 / size.s4 / size.s3;
  const global E *at = grid + n * gs.s0 + o * gs.s1 + p * gs.s2 + q * gs.s3;
  const Taps w = taps_of(LOAD_AT(at, 0), size.s2, border, align), h = taps_of(LOAD_AT(at, gs.s4), size.s1, border, align);
#if RANK == 3
  const Taps d = taps_of(LOAD_AT(at, 2 * gs.s4), size.s0, border, align);
#else
  const Taps d = taps_none();
#endif
  for (int c = 0; c < channels; ++c) {
    const global E *src = x + n * xs.s0 + c * xs.s1;
    T sum = 0;
    for (int i = 0; i < DEPTH_TAPS; ++i) {
      for (int j = 0; j < TAPS; ++j) {
        for (int k = 0; k < TAPS; ++k) {
          const bool inside = d.at[i] >= 0 && h.at[j] >= 0 && w.at[k] >= 0;
          if (!inside && RANK == 3) continue;
          const T v = inside ? LOAD_AT(src, d.at[i] * xs.s2 + h.at[j] * xs.s3 + w.at[k] * xs.s4) : (T)0;
          sum += v * d.weight[i] * h.weight[j] * w.weight[k];
        }
      }
    }
    STORE_AT(y, n * ys.s0 + c * ys.s1 + o * ys.s2 + p * ys.s3 + q * ys.s4, sum);
  }
}
