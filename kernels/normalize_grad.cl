// The gradients of layer and group normalisation. With xhat = (x - mean) * invstd and gw = g * weight:
//   grad_in = invstd * (gw - mean(gw) - xhat * mean(gw * xhat)) over each slice; with RMS xhat = x * invstd, and mean(gw) is left out;
//   grad_weight = sum(g * xhat), grad_bias = sum(g) over what shares a weight.
// Three kernels: normalize_grad walks slices (lib/slice.h); column_sums and column_finish walk what shares a weight.
#include "lib/slice.h"

#ifdef RMS
#define CENTRED(v) (v)
#else
#define CENTRED(v) ((v) - m)
#endif

#if defined(GROUP)
// The sums of both values over the group, as one fixed tree. scratch: 2 * GROUP values.
static inline void group_sums(local T *scratch, T a, T b) {
  const int l = (int)get_local_id(0);
  scratch[l] = a;
  scratch[GROUP + l] = b;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int half_size = GROUP / 2; half_size > 0; half_size /= 2) {
    if (l < half_size) {
      scratch[l] += scratch[l + half_size];
      scratch[GROUP + l] += scratch[GROUP + l + half_size];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
}
#endif

#ifdef SLICES
// For g, x, weight and d: strides along slices (s), lines (l) and inner (i). ms, vs: of mean and invstd along slices. weight may be NULL.
kernel void normalize_grad(ARG(const E, g), ARG(const E, x), ARG(const P, weight), ARG(const T, mean), ARG(const T, invstd), ARG(E, d), I slices, I lines,
                           I inner, I per_item, int columns, long8 slice_dims, long8 line_dims, long8 gs, long8 gl, long gi, long8 xs, long8 xl, long xi,
                           long8 ws, long8 wl, long wi, long8 ds, long8 dl, long di, long8 ms, long8 vs) {
  BIND(const E, g);
  BIND(const E, x);
  BIND(const P, weight);
  BIND(const T, mean);
  BIND(const T, invstd);
  BIND(E, d);
#ifdef GROUP
  local T scratch[2 * GROUP];
#endif
  FOR_SLICES {
    const global E *g_src = g + space_offset(slice_dims, gs, slice);
    const global E *x_src = x + space_offset(slice_dims, xs, slice);
    global E *dst = d + space_offset(slice_dims, ds, slice);
    const global P *w_src = weight != 0 ? weight + space_offset(slice_dims, ws, slice) : weight;
    const T inv = invstd[space_offset(slice_dims, vs, slice)];
#ifndef RMS
    const T m = mean[space_offset(slice_dims, ms, slice)];
#endif
    T total = 0, total_lost = 0, total_dot = 0, total_dot_lost = 0;
    FOR_LINES {
      const global E *gp = g_src + space_offset(line_dims, gl, line);
      const global E *xp = x_src + space_offset(line_dims, xl, line);
      const global P *w = w_src != 0 ? w_src + space_offset(line_dims, wl, line) : w_src;
      W sum = (W)((T)0), lost = sum, dot = sum, dot_lost = sum;
      FOR_INNER {
        const W gw = READ(gp, gi) * READ_P(w, wi, 1);
        ADD(W, sum, lost, gw)
        ADD(W, dot, dot_lost, ONLY(gw * CENTRED(READ(xp, xi))))
      }
      ADD(T, total, total_lost, compensated_total(sum, lost))
      ADD(T, total_dot, total_dot_lost, compensated_total(dot, dot_lost))
    }
    total = COMPENSATED(total, total_lost);
    total_dot = COMPENSATED(total_dot, total_dot_lost);
#ifdef GROUP
    group_sums(scratch, total, total_dot);
    total = scratch[0];
    total_dot = scratch[GROUP];
#endif
    const T count = (T)lines * (T)inner;
#ifndef RMS
    const T mean_g = total / count;
#endif
    const T slope = total_dot / count * inv * inv;
    FOR_LINES {
      const global E *gp = g_src + space_offset(line_dims, gl, line);
      const global E *xp = x_src + space_offset(line_dims, xl, line);
      const global P *w = w_src != 0 ? w_src + space_offset(line_dims, wl, line) : w_src;
      global E *dp = dst + space_offset(line_dims, dl, line);
      FOR_INNER {
        const W gw = READ(gp, gi) * READ_P(w, wi, 1);
#ifdef RMS
        const W v = (gw - READ(xp, xi) * slope) * inv;
#else
        const W v = (gw - mean_g - (READ(xp, xi) - m) * slope) * inv;
#endif
        WRITE(dp, di, v);
      }
    }
  }
}

#else
// Sums over what shares a weight: weight o of `slices` has `lines` lines of `inner` elements, which `parts` work-items or work-groups share, each a run of
// them. partial: [parts, slices] sums of g * xhat and of g.
//   COLUMN  a work-item does ACROSS * 16 neighbouring weights, a lane each, of a part: rows of one vector each are too short for a prefetcher.
//           Needs neighbours 1 apart in g and x that share mean and invstd.
//   VECTOR  a work-item does a weight of a part with vectors of 16.               Needs inner strides of 1, and mean and invstd the same along inner.
//   ITEM    a work-item does a weight of a part.                                  Any strides.
//   GROUP   a work-group does a weight of a part.                                 Any strides.
#ifdef COLUMN
#define U V
#define ACROSS 8
#else
#define U W
#define ACROSS 1
#endif
#define FOR_ACROSS _Pragma("unroll") for (int a = 0; a < ACROSS; ++a)
kernel void column_sums(ARG(const E, g), ARG(const E, x), ARG(const T, mean), ARG(const T, invstd), ARG(T, partial), I slices, I lines, I inner, I parts,
                        long8 slice_dims, long8 line_dims, long8 gs, long8 gl, long gi, long8 xs, long8 xl, long xi, long8 ms, long8 ml, long mi, long8 vs,
                        long8 vl, long vi) {
  BIND(const E, g);
  BIND(const E, x);
  BIND(const T, mean);
  BIND(const T, invstd);
  BIND(T, partial);
#ifdef GROUP
  local T scratch[2 * GROUP];
  const I id = (I)get_group_id(0), blocks = slices, start = (I)get_local_id(0), step = GROUP;
#else
  const I id = (I)get_global_id(0), start = 0;
#ifdef COLUMN
  const I blocks = (slices + 16 * ACROSS - 1) / (16 * ACROSS), step = 1;
#else
  const I blocks = slices, step = INNER_STEP;
#endif
  if (id >= blocks * parts) return;
#endif
  const I part = id / blocks;
#ifdef COLUMN
  const I o = id % blocks * (16 * ACROSS);
  const int live = (int)min((I)(16 * ACROSS), slices - o);
#define LIVE_OF(a) clamp(live - 16 * (a), 0, 16)
#define TAKE(p, stride) load_upto((p) + i * (stride) + 16 * a, LIVE_OF(a), (T)0)
#else
  const I o = id % blocks;
#define TAKE(p, stride) READ(p, stride)
#endif
  const global E *g_src = g + space_offset(slice_dims, gs, o);
  const global E *x_src = x + space_offset(slice_dims, xs, o);
  const global T *m_src = mean != 0 ? mean + space_offset(slice_dims, ms, o) : mean;
  const global T *v_src = invstd + space_offset(slice_dims, vs, o);
  // The part is a run of the elements in the order of lines.
  const I all = lines * inner, share = (all + parts - 1) / parts, end = min(all, (part + 1) * share);
  U dot[ACROSS], dot_lost[ACROSS], sum[ACROSS], lost[ACROSS];
  FOR_ACROSS dot[a] = dot_lost[a] = sum[a] = lost[a] = (U)((T)0);
  for (I at = part * share; at < end;) {
    const I line = at / inner, begin = at - line * inner, inner_end = min(inner, begin + (end - at));
    const global E *gp = g_src + space_offset(line_dims, gl, line);
    const global E *xp = x_src + space_offset(line_dims, xl, line);
    const long m_line = space_offset(line_dims, ml, line), v_line = space_offset(line_dims, vl, line);
    for (I i = begin + start; i < inner_end; i += step) {
      const T inv = v_src[v_line + i * vi];
#ifndef RMS
      const T m = m_src[m_line + i * mi];
#endif
      FOR_ACROSS {
        const U gv = TAKE(gp, gi);
        ADD(U, sum[a], lost[a], gv)
#ifdef COLUMN
        ADD(U, dot[a], dot_lost[a], gv * (CENTRED(TAKE(xp, xi)) * inv))
#else
        ADD(U, dot[a], dot_lost[a], ONLY(gv * (CENTRED(TAKE(xp, xi)) * inv)))
#endif
      }
    }
    at += inner_end - begin;
  }
#ifdef COLUMN
  FOR_ACROSS {
    const U dots = COMPENSATED(dot[a], dot_lost[a]), sums = COMPENSATED(sum[a], lost[a]);
    for (int l = 0; l < LIVE_OF(a); ++l) {
      partial[2 * (part * slices + o + 16 * a + l)] = ((const T *)&dots)[l];
      partial[2 * (part * slices + o + 16 * a + l) + 1] = ((const T *)&sums)[l];
    }
  }
#else
  T total_dot = compensated_total(dot[0], dot_lost[0]), total = compensated_total(sum[0], lost[0]);
#ifdef GROUP
  group_sums(scratch, total_dot, total);
  total_dot = scratch[0];
  total = scratch[GROUP];
#endif
  if (STORES) {
    partial[2 * (part * slices + o)] = total_dot;
    partial[2 * (part * slices + o) + 1] = total;
  }
#endif
}

// The parts of each weight added up. grad_weight, grad_bias: NULL or strided by ws and bs over slice_dims.
kernel void column_finish(ARG(const T, partial), ARG(P, grad_weight), ARG(P, grad_bias), I slices, I parts, long8 slice_dims, long8 ws, long8 bs) {
  BIND(const T, partial);
  BIND(P, grad_weight);
  BIND(P, grad_bias);
  const I o = (I)get_global_id(0);
  if (o >= slices) return;
  T dot = 0, dot_lost = 0, sum = 0, lost = 0;
  for (I part = 0; part < parts; ++part) {
    ADD(T, dot, dot_lost, partial[2 * (part * slices + o)])
    ADD(T, sum, lost, partial[2 * (part * slices + o) + 1])
  }
  if (grad_weight != 0) STORE_P(grad_weight, space_offset(slice_dims, ws, o), COMPENSATED(dot, dot_lost));
  if (grad_bias != 0) STORE_P(grad_bias, space_offset(slice_dims, bs, o), COMPENSATED(sum, lost));
}
#endif
