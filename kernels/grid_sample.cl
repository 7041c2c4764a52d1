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
  const Output to = output_of(id, size);
  const Stencil s = stencil_at(grid + in_grid(to, gs), gs.s4, size, border, align);
  for (int c = 0; c < channels; ++c) {
    const global E *src = x + to.n * xs.s0 + c * xs.s1;
    T sum = 0;
    for (int i = 0; i < DEPTH_TAPS; ++i) {
      for (int j = 0; j < TAPS; ++j) {
        for (int k = 0; k < TAPS; ++k) {
          const bool inside = s.d.at[i] >= 0 && s.h.at[j] >= 0 && s.w.at[k] >= 0;
          if (!inside && RANK == 3) continue;
          const T v = inside ? LOAD_AT(src, s.d.at[i] * xs.s2 + s.h.at[j] * xs.s3 + s.w.at[k] * xs.s4) : (T)0;
          sum += v * s.d.weight[i] * s.h.weight[j] * s.w.weight[k];
        }
      }
    }
    STORE_AT(y, in_image(to, ys) + c * ys.s1, sum);
  }
}
