// The gradients of layer and group normalisation. With xhat = (x - mean) * invstd and gw = g * weight:
//   grad_in = invstd * (gw - mean(gw) - xhat * mean(gw * xhat)) over each slice; with RMS xhat = x * invstd, and mean(gw) is left out;
//   grad_weight = sum(g * xhat), grad_bias = sum(g) over what shares a weight.
// normalize_grad walks slices (lib/slice.h); column_sums and column_finish walk what shares a weight. normalize_grad_dense does both in one pass.
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

#ifdef RMS
#define GRAD(gw, xv) (((gw) - (xv) * slope) * inv)
#else
#define GRAD(gw, xv) (((gw) - mean_g - ((xv) - m) * slope) * inv)
#endif

#ifdef VECTOR
// 16 weights of a line from element i on, where a step from one to the next is 1 or 0: w0 is the first, or 1 where there are none. One loop serves both.
#define WEIGHT_STEP (w != 0 ? wi : 0)
#define WEIGHTS16(i) (step == 1 ? LOAD_P16(w + (i)) : (V)(w0))

// Adds a line's sums of gw and of gw * (x - m), each with what rounding took from it.
static inline void line_sums(const global E *gp, const global E *xp, const global P *w, long wi, T m, I inner, T *total, T *total_lost, T *total_dot,
                             T *total_dot_lost) {
  const T w0 = w != 0 ? LOAD_P(w, 0) : (T)1;
  const long step = WEIGHT_STEP;
  FOR_BLOCKS {
    const I inner_end = BLOCK_END;
    V sum = (V)((T)0), dot = sum, sum1 = sum, dot1 = sum;
    I i = from;
    if (step == 0 || step == 1) {
      for (; inner_end - i >= 32; i += 32) {
        const V gw = LOAD16(gp + i) * WEIGHTS16(i), gw1 = LOAD16(gp + i + 16) * WEIGHTS16(i + 16);
        sum += gw;
        sum1 += gw1;
        dot += gw * CENTRED(LOAD16(xp + i));
        dot1 += gw1 * CENTRED(LOAD16(xp + i + 16));
      }
    }
    // One by one: vectors in part would be most of the program.
    T rest = 0, rest_dot = 0;
    for (; i < inner_end; ++i) {
      const T gw = LOAD_AT(gp, i) * (w != 0 ? LOAD_P(w, i * wi) : (T)1);
      rest += gw;
      rest_dot += gw * CENTRED(LOAD_AT(xp, i));
    }
    ADD(T, *total, *total_lost, lanes_sum(sum + sum1) + rest)
    ADD(T, *total_dot, *total_dot_lost, lanes_sum(dot + dot1) + rest_dot)
  }
}

static inline void line_grad(const global E *gp, const global E *xp, const global P *w, long wi, global E *dp, T m, T inv, T mean_g, T slope, I inner) {
  const T w0 = w != 0 ? LOAD_P(w, 0) : (T)1;
  const long step = WEIGHT_STEP;
  I i = 0;
  if (step == 0 || step == 1) {
    for (; inner - i >= 16; i += 16) STORE16(dp + i, GRAD(LOAD16(gp + i) * WEIGHTS16(i), LOAD16(xp + i)));
  }
  for (; i < inner; ++i) {
    const T v = GRAD(LOAD_AT(gp, i) * (w != 0 ? LOAD_P(w, i * wi) : (T)1), LOAD_AT(xp, i));
    STORE_AT(dp, i, v);
  }
}
#endif

#ifdef COLUMN
#define ACROSS 8
#define FOR_ACROSS _Pragma("unroll") for (int a = 0; a < ACROSS; ++a)
#define LIVE_OF(a) clamp(live - 16 * (a), 0, 16)

// Adds elements begin ... end-1 of `live` neighbouring columns, i apart: blocks of them as they are, and blocks with what rounding takes. What is not whole
// goes one vector at a time: written out for all of them it would compile for long.
static inline void columns_sums(const global E *gp, const global E *xp, const global T *mp, const global T *vp, long gi, long xi, long mi, long vi, I begin,
                                I end, int live, V *dot, V *dot_lost, V *sum, V *lost) {
  for (I from = begin; from < end; from += 32) {
    const I upto = min(end, from + 32);
    if (live == 16 * ACROSS) {
      V block_dot[ACROSS], block_sum[ACROSS];
      FOR_ACROSS block_dot[a] = block_sum[a] = (V)((T)0);
      for (I i = from; i < upto; ++i) {
        const T inv = vp[i * vi];
#ifndef RMS
        const T m = mp[i * mi];
#endif
        FOR_ACROSS {
          const V gv = LOAD16(gp + i * gi + 16 * a);
          block_sum[a] += gv;
          block_dot[a] += gv * (CENTRED(LOAD16(xp + i * xi + 16 * a)) * inv);
        }
      }
      FOR_ACROSS {
        ADD(V, sum[a], lost[a], block_sum[a])
        ADD(V, dot[a], dot_lost[a], block_dot[a])
      }
      continue;
    }
    for (int a = 0; 16 * a < live; ++a) {
      V one_sum = (V)((T)0), one_dot = one_sum;
      for (I i = from; i < upto; ++i) {
        const T inv = vp[i * vi];
#ifndef RMS
        const T m = mp[i * mi];
#endif
        const V gv = load_upto(gp + i * gi + 16 * a, LIVE_OF(a), (T)0);
        one_sum += gv;
        one_dot += gv * (CENTRED(load_upto(xp + i * xi + 16 * a, LIVE_OF(a), (T)0)) * inv);
      }
      ADD(V, sum[a], lost[a], one_sum)
      ADD(V, dot[a], dot_lost[a], one_dot)
    }
  }
}
#endif

#ifdef DENSE
// Rows that share a pass over the weights and their sums.
#define ROWS 4
#define FOR_ROWS _Pragma("unroll") for (int r = 0; r < rows; ++r)

// Adds g * xhat of `rows` rows, at most ROWS, to dots and g to sums, and gives the means of gw and the slopes of xhat. mean, invstd: of the first row.
static inline void rows_sums(const global E *g, const global E *x, const global P *weight, const global T *mean, const global T *invstd, global T *dots,
                             global T *sums, I columns, long gs, long xs, T *mean_g, T *slope, const int rows) {
  T total[ROWS], total_dot[ROWS], lost[ROWS], dot_lost[ROWS], inv[ROWS], mid[ROWS];
  FOR_ROWS {
    total[r] = total_dot[r] = lost[r] = dot_lost[r] = mid[r] = 0;
    inv[r] = invstd[r];
#ifndef RMS
    mid[r] = mean[r];
#endif
  }
  for (I from = 0; from < columns; from += BLOCK) {
    const I end = min(columns, from + BLOCK);
    V row_sum[ROWS], row_dot[ROWS];
    T rest[ROWS], rest_dot[ROWS];
    FOR_ROWS {
      row_sum[r] = row_dot[r] = (V)((T)0);
      rest[r] = rest_dot[r] = 0;
    }
    I i = from;
    for (; end - i >= 16; i += 16) {
      const V w = weight != 0 ? LOAD_P16(weight + i) : (V)((T)1);
      V sum = vload16(0, sums + i), dot = vload16(0, dots + i);
      FOR_ROWS {
        const T m = mid[r];
        const V gv = LOAD16(g + r * gs + i), xv = CENTRED(LOAD16(x + r * xs + i)), gw = gv * w;
        sum += gv;
        dot += gv * (xv * inv[r]);
        row_sum[r] += gw;
        row_dot[r] += gw * xv;
      }
      store_whole(sum, sums + i);
      store_whole(dot, dots + i);
    }
    for (; i < end; ++i) {
      const T w = weight != 0 ? LOAD_P(weight, i) : (T)1;
      FOR_ROWS {
        const T m = mid[r];
        const T gv = LOAD_AT(g, r * gs + i), xv = CENTRED(LOAD_AT(x, r * xs + i)), gw = gv * w;
        sums[i] += gv;
        dots[i] += gv * (xv * inv[r]);
        rest[r] += gw;
        rest_dot[r] += gw * xv;
      }
    }
    FOR_ROWS {
      ADD(T, total[r], lost[r], lanes_sum(row_sum[r]) + rest[r])
      ADD(T, total_dot[r], dot_lost[r], lanes_sum(row_dot[r]) + rest_dot[r])
    }
  }
  FOR_ROWS {
    mean_g[r] = COMPENSATED(total[r], lost[r]) / (T)columns;
    slope[r] = COMPENSATED(total_dot[r], dot_lost[r]) / (T)columns * inv[r] * inv[r];
  }
}

// Adds up what `parts` chunks have of columns o … o+15.
static inline void finish_columns(const global T *partial, global P *grad_weight, global P *grad_bias, I columns, I pitch, I parts, I o) {
  V dot = (V)((T)0), dot_lost = dot, sum = dot, lost = dot;
  for (I part = 0; part < parts; ++part) {
    const global T *dots = partial + 2 * part * pitch + o;
    ADD(V, dot, dot_lost, vload16(0, dots))
    ADD(V, sum, lost, vload16(0, dots + pitch))
  }
  const V dots = COMPENSATED(dot, dot_lost), sums = COMPENSATED(sum, lost);
  const int live = (int)min((I)16, columns - o);
  for (int l = 0; l < live; ++l) {
    if (grad_weight != 0) STORE_P(grad_weight, o + l, ((const T *)&dots)[l]);
    if (grad_bias != 0) STORE_P(grad_bias, o + l, ((const T *)&sums)[l]);
  }
}

// All gradients where a slice is a row of neighbours, `columns` of them, gs, xs and ds from the next row's, and mean, invstd, weight, grad_weight and
// grad_bias are neighbours too. A work-item takes per_item of the `parts` chunks of `chunk` rows, at most 32. partial: [parts, 2, pitch], a chunk's sums of
// g * xhat and of g, which dense_finish adds up; a single work-item does so itself. mean, weight, grad_weight and grad_bias may be NULL. pitch: columns,
// rounded up to 16.
kernel void normalize_grad_dense(ARG(const E, g), ARG(const E, x), ARG(const P, weight), ARG(const T, mean), ARG(const T, invstd), ARG(E, d),
                                 ARG(P, grad_weight), ARG(P, grad_bias), ARG(T, partial), I rows, I columns, I pitch, I chunk, I parts, I per_item, long gs,
                                 long xs, long ds) {
  BIND(const E, g);
  BIND(const E, x);
  BIND(const P, weight);
  BIND(const T, mean);
  BIND(const T, invstd);
  BIND(E, d);
  BIND(P, grad_weight);
  BIND(P, grad_bias);
  BIND(T, partial);
  const I first = (I)get_global_id(0) * per_item, last = min(parts, first + per_item);
  for (I part = first; part < last; ++part) {
    global T *dots = partial + 2 * part * pitch, *sums = dots + pitch;
    for (I i = 0; i < pitch; i += 16) {
      store_whole((V)((T)0), dots + i);
      store_whole((V)((T)0), sums + i);
    }
    const I end = min(rows, (part + 1) * chunk);
    for (I row = part * chunk, n; row < end; row += n) {
      n = end - row >= ROWS ? ROWS : 1;
      T mean_g[ROWS], slope[ROWS];
#define ROWS_SUMS(n)                                                                                                                                    \
  rows_sums(g + row * gs, x + row * xs, weight, mean != 0 ? mean + row : mean, invstd + row, dots, sums, columns, gs, xs, mean_g, slope, n)
      if (n == ROWS)
        ROWS_SUMS(ROWS);
      else
        ROWS_SUMS(1);
      // What the sums read is near still.
      for (I r = 0; r < n; ++r) {
        const I k = row + r;
        line_grad(g + k * gs, x + k * xs, weight, 1, d + k * ds, mean != 0 ? mean[k] : (T)0, invstd[k], mean_g[r], slope[r], columns);
      }
    }
  }
  if (get_global_size(0) == 1) {
    for (I o = 0; o < columns; o += 16) finish_columns(partial, grad_weight, grad_bias, columns, pitch, parts, o);
  }
}

kernel void dense_finish(ARG(const T, partial), ARG(P, grad_weight), ARG(P, grad_bias), I columns, I pitch, I parts) {
  BIND(const T, partial);
  BIND(P, grad_weight);
  BIND(P, grad_bias);
  finish_columns(partial, grad_weight, grad_bias, columns, pitch, parts, (I)get_global_id(0) * 16);
}

#elif defined(SLICES)
// For g, x, weight and d: strides along slices (s), lines (l) and inner (i). ms, vs: of mean and invstd along slices. weight may be NULL.
// LINE_SUMS, with VECTOR: a line has one weight; partial: [slices, lines] sums of g * xhat and of g, which column_finish adds up.
kernel void normalize_grad(ARG(const E, g), ARG(const E, x), ARG(const P, weight), ARG(const T, mean), ARG(const T, invstd), ARG(E, d), I slices, I lines,
                           I inner, I per_item, int columns, long8 slice_dims, long8 line_dims, long8 gs, long8 gl, long gi, long8 xs, long8 xl, long xi,
                           long8 ws, long8 wl, long wi, long8 ds, long8 dl, long di, long8 ms, long8 vs, ARG(T, partial)) {
  BIND(T, partial);
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
#ifdef RMS
    const T m = 0;
#else
    const T m = mean[space_offset(slice_dims, ms, slice)];
#endif
    T total = 0, total_lost = 0, total_dot = 0, total_dot_lost = 0;
    FOR_LINES {
      const global E *gp = g_src + space_offset(line_dims, gl, line);
      const global E *xp = x_src + space_offset(line_dims, xl, line);
      const global P *w = w_src != 0 ? w_src + space_offset(line_dims, wl, line) : w_src;
#if defined(LINE_SUMS)
      T sum = 0, lost = 0, dot = 0, dot_lost = 0;
      line_sums(gp, xp, 0, 0, m, inner, &sum, &lost, &dot, &dot_lost);
      sum = COMPENSATED(sum, lost);
      dot = COMPENSATED(dot, dot_lost);
      global T *sums = partial + 2 * (slice * lines + line);
      sums[0] = dot * inv;
      sums[1] = sum;
      const T w0 = w != 0 ? LOAD_P(w, 0) : (T)1;
      ADD(T, total, total_lost, sum * w0)
      ADD(T, total_dot, total_dot_lost, dot * w0)
#elif defined(VECTOR)
      line_sums(gp, xp, w, wi, m, inner, &total, &total_lost, &total_dot, &total_dot_lost);
#else
      T sum = 0, lost = 0, dot = 0, dot_lost = 0;
      FOR_INNER {
        const T gw = READ(gp, gi) * READ_P(w, wi, 1);
        ADD(T, sum, lost, gw)
        ADD(T, dot, dot_lost, gw * CENTRED(READ(xp, xi)))
      }
      ADD(T, total, total_lost, compensated_total(sum, lost))
      ADD(T, total_dot, total_dot_lost, compensated_total(dot, dot_lost))
#endif
    }
    total = COMPENSATED(total, total_lost);
    total_dot = COMPENSATED(total_dot, total_dot_lost);
#ifdef GROUP
    group_sums(scratch, total, total_dot);
    total = scratch[0];
    total_dot = scratch[GROUP];
#endif
    const T count = (T)lines * (T)inner;
    const T mean_g = total / count, slope = total_dot / count * inv * inv;
    FOR_LINES {
      const global E *gp = g_src + space_offset(line_dims, gl, line);
      const global E *xp = x_src + space_offset(line_dims, xl, line);
      const global P *w = w_src != 0 ? w_src + space_offset(line_dims, wl, line) : w_src;
      global E *dp = dst + space_offset(line_dims, dl, line);
#ifdef VECTOR
      line_grad(gp, xp, w, wi, dp, m, inv, mean_g, slope, inner);
#else
      FOR_INNER {
        const T v = GRAD(READ(gp, gi) * READ_P(w, wi, 1), READ(xp, xi));
        WRITE(dp, di, v);
      }
#endif
    }
  }
}

#else
// Sums over what shares a weight: weight o of `slices` has `lines` lines of `inner` elements, which `parts` work-items or work-groups share, each a run of
// them. partial: [parts, slices] sums of g * xhat and of g; NULL where parts is 1: then the sums go to grad_weight and grad_bias, either of which may be NULL,
// strided by ws and bs over slice_dims.
//   COLUMN  a work-item does ACROSS * 16 neighbouring weights, a lane each, of a part: rows of one vector each are too short for a prefetcher.
//           Needs neighbours 1 apart in g and x that share mean and invstd.
//   VECTOR  a work-item does a weight of a part with vectors of 16.               Needs inner strides of 1, and mean and invstd the same along inner.
//   ITEM    a work-item does a weight of a part.                                  Any strides.
//   GROUP   a work-group does a weight of a part.                                 Any strides.
#define STORE_SUMS(o, dot, sum)                                                                    \
  {                                                                                                \
    if (partial != 0) {                                                                            \
      partial[2 * (part * slices + o)] = dot;                                                      \
      partial[2 * (part * slices + o) + 1] = sum;                                                  \
    } else {                                                                                       \
      if (grad_weight != 0) STORE_P(grad_weight, space_offset(slice_dims, ws, o), dot);            \
      if (grad_bias != 0) STORE_P(grad_bias, space_offset(slice_dims, bs, o), sum);                \
    }                                                                                              \
  }

kernel void column_sums(ARG(const E, g), ARG(const E, x), ARG(const T, mean), ARG(const T, invstd), ARG(T, partial), I slices, I lines, I inner, I parts,
                        long8 slice_dims, long8 line_dims, long8 gs, long8 gl, long gi, long8 xs, long8 xl, long xi, long8 ms, long8 ml, long mi, long8 vs,
                        long8 vl, long vi, ARG(P, grad_weight), ARG(P, grad_bias), long8 ws, long8 bs) {
  BIND(const E, g);
  BIND(const E, x);
  BIND(const T, mean);
  BIND(const T, invstd);
  BIND(T, partial);
  BIND(P, grad_weight);
  BIND(P, grad_bias);
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
#else
  const I o = id % blocks;
#endif
  const global E *g_src = g + space_offset(slice_dims, gs, o);
  const global E *x_src = x + space_offset(slice_dims, xs, o);
  const global T *m_src = mean != 0 ? mean + space_offset(slice_dims, ms, o) : mean;
  const global T *v_src = invstd + space_offset(slice_dims, vs, o);
  // The part is a run of the elements in the order of lines.
  const I all = lines * inner, share = (all + parts - 1) / parts, end = min(all, (part + 1) * share);
#ifdef COLUMN
  V dot[ACROSS], dot_lost[ACROSS], sum[ACROSS], lost[ACROSS];
  FOR_ACROSS dot[a] = dot_lost[a] = sum[a] = lost[a] = (V)((T)0);
#else
  T dot = 0, dot_lost = 0, sum = 0, lost = 0;
#endif
  for (I at = part * share; at < end;) {
    const I line = at / inner, begin = at - line * inner, inner_end = min(inner, begin + (end - at));
    const global E *gp = g_src + space_offset(line_dims, gl, line);
    const global E *xp = x_src + space_offset(line_dims, xl, line);
    const long m_line = space_offset(line_dims, ml, line), v_line = space_offset(line_dims, vl, line);
#ifdef COLUMN
    columns_sums(gp, xp, m_src + m_line, v_src + v_line, gi, xi, mi, vi, begin, inner_end, live, dot, dot_lost, sum, lost);
#elif defined(VECTOR)
#ifdef RMS
    const T m = 0;
#else
    const T m = m_src[m_line];
#endif
    T line_sum = 0, line_lost = 0, line_dot = 0, line_dot_lost = 0;
    line_sums(gp + begin, xp + begin, 0, 0, m, inner_end - begin, &line_sum, &line_lost, &line_dot, &line_dot_lost);
    ADD(T, sum, lost, COMPENSATED(line_sum, line_lost))
    ADD(T, dot, dot_lost, COMPENSATED(line_dot, line_dot_lost) * v_src[v_line])
#else
    for (I i = begin + start; i < inner_end; i += step) {
      const T inv = v_src[v_line + i * vi];
#ifndef RMS
      const T m = m_src[m_line + i * mi];
#endif
      const T gv = READ(gp, gi);
      ADD(T, sum, lost, gv)
      ADD(T, dot, dot_lost, gv * (CENTRED(READ(xp, xi)) * inv))
    }
#endif
    at += inner_end - begin;
  }
#ifdef COLUMN
  for (int a = 0; 16 * a < live; ++a) {
    const V dots = COMPENSATED(dot[a], dot_lost[a]), sums = COMPENSATED(sum[a], lost[a]);
    for (int l = 0; l < LIVE_OF(a); ++l) {
      const T one_dot = ((const T *)&dots)[l], one_sum = ((const T *)&sums)[l];
      const I weight = o + 16 * a + l;
      STORE_SUMS(weight, one_dot, one_sum)
    }
  }
#else
  T total_dot = COMPENSATED(dot, dot_lost), total = COMPENSATED(sum, lost);
#ifdef GROUP
  group_sums(scratch, total_dot, total);
  total_dot = scratch[0];
  total = scratch[GROUP];
#endif
  if (STORES) STORE_SUMS(o, total_dot, total)
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
