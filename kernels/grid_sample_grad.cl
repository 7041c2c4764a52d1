// The gradients of grid_sample.cl, whose sizes, strides and places these are: g is that of y.
//
//   grid_sample_grad_x     dx [N, C, ...] is summed in `sum`, contiguous elements of T (dx itself where E is T and dx is contiguous): a work-item owns
//                          `per_item` planes of a sample, clears them and adds the outputs in their row-major order, which fixes the result; then it
//                          stores the planes. Work: N * ceil(C / per_item).
//   grid_sample_grad_grid  dgrid: a work-item does one place of all channels. Work: N*O*P*Q.
#include "lib/arg.h"
#include "lib/grid.h"

#if defined(GRAD_X)
kernel void grid_sample_grad_x(ARG(const E, g), ARG(const E, grid), ARG(E, dx), ARG(T, sum), int8 size, int channels, int border, int align, I work,
                               int per_item, int in_place, long8 gs, long8 rs, long8 ds) {
  BIND(const E, g);
  BIND(const E, grid);
  BIND(E, dx);
  BIND(T, sum);
  const I id = (I)get_global_id(0);
  if (id >= work) return;
  const int blocks = (channels + per_item - 1) / per_item, first = (int)(id % blocks) * per_item, end = min(channels, first + per_item);
  const I n = id / blocks;
  const long volume = (long)size.s0 * size.s1 * size.s2;
  global T *planes = sum + (n * channels + first) * volume;
  for (long i = 0; i < (end - first) * volume; ++i) planes[i] = 0;
  for (int o = 0; o < size.s3; ++o) {
    for (int p = 0; p < size.s4; ++p) {
      for (int q = 0; q < size.s5; ++q) {
        const Output of = {n, o, p, q};
        const global E *from = g + in_image(of, gs);
        const Stencil s = stencil_at(grid + in_grid(of, rs), rs.s4, size, border, align);
        for (int i = 0; i < DEPTH_TAPS; ++i) {
          for (int j = 0; j < TAPS; ++j) {
            for (int k = 0; k < TAPS; ++k) {
              if (s.d.at[i] < 0 || s.h.at[j] < 0 || s.w.at[k] < 0) continue;
              const T weight = s.d.weight[i] * s.h.weight[j] * s.w.weight[k];
              global T *to = planes + ((long)s.d.at[i] * size.s1 + s.h.at[j]) * size.s2 + s.w.at[k];
              for (int c = first; c < end; ++c, to += volume) *to += LOAD_AT(from, c * gs.s1) * weight;
            }
          }
        }
      }
    }
  }
  if (in_place) return;
  for (int c = first; c < end; ++c) {
    for (int d = 0; d < size.s0; ++d) {
      for (int h = 0; h < size.s1; ++h) {
        for (int w = 0; w < size.s2; ++w) STORE_AT(dx, n * ds.s0 + c * ds.s1 + d * ds.s2 + h * ds.s3 + w * ds.s4, *planes++);
      }
    }
  }
}

#else
kernel void grid_sample_grad_grid(ARG(const E, g), ARG(const E, x), ARG(const E, grid), ARG(E, dgrid), int8 size, int channels, int border, int align,
                                  I work, long8 gs, long8 xs, long8 rs, long8 ds) {
  BIND(const E, g);
  BIND(const E, x);
  BIND(const E, grid);
  BIND(E, dgrid);
  const I id = (I)get_global_id(0);
  if (id >= work) return;
  const Output of = output_of(id, size);
  const Stencil s = stencil_at(grid + in_grid(of, rs), rs.s4, size, border, align);
  T by_w = 0, by_h = 0, by_d = 0;
#if MODE != 0
  for (int c = 0; c < channels; ++c) {
    const T value = LOAD_AT(g, in_image(of, gs) + c * gs.s1);
    const global E *src = x + of.n * xs.s0 + c * xs.s1;
    for (int i = 0; i < DEPTH_TAPS; ++i) {
      for (int j = 0; j < TAPS; ++j) {
        for (int k = 0; k < TAPS; ++k) {
          const bool inside = s.d.at[i] >= 0 && s.h.at[j] >= 0 && s.w.at[k] >= 0;
          if (!inside && RANK == 3) continue;
          const T v = value * (inside ? LOAD_AT(src, s.d.at[i] * xs.s2 + s.h.at[j] * xs.s3 + s.w.at[k] * xs.s4) : (T)0);
          by_w += v * s.w.slope[k] * s.h.weight[j] * s.d.weight[i];
          by_h += v * s.h.slope[j] * s.w.weight[k] * s.d.weight[i];
          by_d += v * s.d.slope[i] * s.w.weight[k] * s.h.weight[j];
        }
      }
    }
  }
#endif
  const long to = in_grid(of, ds);
  STORE_AT(dgrid, to, by_w);
  STORE_AT(dgrid, to + ds.s4, by_h);
#if RANK == 3
  STORE_AT(dgrid, to + 2 * ds.s4, by_d);
#endif
}
#endif
