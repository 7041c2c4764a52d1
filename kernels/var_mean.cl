// Variance and mean of each slice: var = m2 / max(0, n - correction), moments as in lib/moments.h. Either output may be NULL. An empty slice gives NaN, and
// so does a NaN or an infinity. The walk and the variants: lib/slice.h; with COLUMN `slices` counts blocks of 16 of `neighbours` slices, of which there are
// slice_dims.
//
// Where slices are few, `line_parts` * `inner_parts` work-items or work-groups share one, each a run of its lines and of their elements, and leave their
// moments in partial, [slices, parts] of four numbers, for kernel `join_parts`. Work: slices * parts.
#include "lib/slice.h"
#include "lib/moments.h"

static inline void store_moments(T n, T mean, T m2, T correction, global E *var, long var_at, global E *means, long mean_at) {
  if (var != 0) STORE_AT(var, var_at, n > 0 ? m2 / max((T)0, n - correction) : (T)NAN);
  if (means != 0) STORE_AT(means, mean_at, n > 0 ? mean : (T)NAN);
}

#ifndef JOIN
// xs, xl, xi: strides of x along slices, lines and inner; vs, ms: of var and mean along slices; vn, mn: from neighbour to neighbour. partial: NULL for one
// part.
kernel void var_mean(ARG(const E, x), ARG(E, var), ARG(E, mean), ARG(T, partial), I slices, I lines, I inner, I per_item, int columns,
                     I neighbours, I line_parts, I inner_parts, long8 slice_dims, long8 line_dims, long8 xs, long8 xl, long xi, long8 vs, long8 ms, long vn,
                     long mn, T correction) {
  BIND(const E, x);
  BIND(E, var);
  BIND(E, mean);
  BIND(T, partial);
#ifdef GROUP
  local T scratch[4 * GROUP];
#endif
  const I parts = line_parts * inner_parts, work = slices * parts;
#ifdef GROUP
  const I first = (I)get_group_id(0), last = first + 1;
#else
  const I first = (I)get_global_id(0) * per_item, last = min(work, first + per_item);
#endif
  for (I unit = first; unit < last; ++unit) {
    const I slice = unit / parts, part = unit % parts;
#ifdef COLUMN
    const I blocks = (neighbours + 15) / 16, outer = slice / blocks, lane = slice % blocks * 16;
    const int live = (int)min((I)16, neighbours - lane);
#else
    const I outer = slice, lane = 0;
    const int live = 1;
#endif
    const I share = (lines + line_parts - 1) / line_parts, inner_share = (inner + inner_parts - 1) / inner_parts;
    const I line_begin = part / inner_parts * share, line_end = min(lines, line_begin + share);
    const I begin = part % inner_parts * inner_share, end = min(inner, begin + inner_share);
    const global E *src = x + space_offset(slice_dims, xs, outer) + lane;
    Moments all = no_moments();
    for (I line = line_begin + LINE_START; line < line_end; line += LINE_STEP)
      all = line_moments(all, src + space_offset(line_dims, xl, line), xi, begin, end, columns, live);
#ifdef GROUP
    all = group_moments(scratch, all);
#endif
    const R m = moments_mean(all);
    const T *mean_lane = (const T *)&all.mean, *low_lane = (const T *)&all.low, *m2_lane = (const T *)&all.m2, *m_lane = (const T *)&m;
    for (int l = 0; l < (STORES ? live : 0); ++l) {
      if (partial == 0) {
        store_moments(all.n, m_lane[l], m2_lane[l], correction, var, space_offset(slice_dims, vs, outer) + (lane + l) * vn, mean,
                      space_offset(slice_dims, ms, outer) + (lane + l) * mn);
        continue;
      }
#ifdef COLUMN
      global T *to = partial + 4 * ((outer * neighbours + lane + l) * parts + part);
#else
      global T *to = partial + 4 * (slice * parts + part);
#endif
      to[0] = all.n;
      to[1] = mean_lane[l];
      to[2] = low_lane[l];
      to[3] = m2_lane[l];
    }
  }
}

#else
// slices: all of them, neighbours too, in the order of slice_dims and, innermost, of the neighbours.
kernel void join_parts(ARG(const T, partial), ARG(E, var), ARG(E, mean), I slices, I parts, I neighbours, long8 slice_dims, long8 vs, long8 ms,
                       long vn, long mn, T correction) {
  BIND(const T, partial);
  BIND(E, var);
  BIND(E, mean);
  const I slice = (I)get_global_id(0);
  if (slice >= slices) return;
  const I outer = slice / neighbours, lane = slice % neighbours;
  Moments all = no_moments();
  for (I part = 0; part < parts; ++part) {
    const global T *from = partial + 4 * (slice * parts + part);
    const Moments one = {from[0], from[1], from[2], from[3]};
    all = join_moments(all, one);
  }
  store_moments(all.n, moments_mean(all), all.m2, correction, var, space_offset(slice_dims, vs, outer) + lane * vn, mean,
                space_offset(slice_dims, ms, outer) + lane * mn);
}
#endif
