// The gradients of batch normalisation. With xhat = (x - mean) * invstd:
//   grad_bias = sum(g), grad_weight = sum(g * xhat),
//   grad_in = weight * invstd * (g - mean(g) - xhat * mean(g * xhat)) in training (TRAINING), where mean and invstd depend on x; else
//   weight * invstd * g. Any output and weight may be NULL. Variants, the walk, and their preconditions: lib/channel.h.
#include "lib/channel.h"

// cs: strides of weight, mean, invstd, grad_weight, grad_bias.
kernel void batch_norm_grad(ARG(const E, g), ARG(const E, x), ARG(const P, weight), ARG(const T, mean), ARG(const T, invstd), ARG(E, d),
                            ARG(P, grad_weight), ARG(P, grad_bias), I channels, I rows, I inner, long8 dims, long8 gs, long8 xs, long8 ds,
                            long gc, long xc, long dc, long gi, long xi, long di, long8 cs) {
  BIND(const E, g);
  BIND(const E, x);
  BIND(const P, weight);
  BIND(const T, mean);
  BIND(const T, invstd);
  BIND(E, d);
  BIND(P, grad_weight);
  BIND(P, grad_bias);
#ifdef GROUP
  local T sums[GROUP], sum_losts[GROUP], dots[GROUP], dot_losts[GROUP];
#endif
  const I first = FIRST;
#ifndef GROUP  // whose global size is exact: no return may stand before a barrier
  if (first >= channels) return;
#endif
  const global E *g_src = g + first * gc;
  const global E *x_src = x + first * xc;
  const T count = (T)rows * (T)inner;
  const R m = load_channel(mean, first, channels, cs.s1, (T)0), inv = load_channel(invstd, first, channels, cs.s2, (T)1);

  W sum = (W)((T)0), sum_lost = sum, dot = sum, dot_lost = sum;
#ifdef CHANNEL
  V block_sum = sum, block_dot = sum;
  I pending = 0;
#endif
  FOR_ROWS {
    const global E *gp = g_src + space_offset(dims, gs, row);
    const global E *xp = x_src + space_offset(dims, xs, row);
#ifdef CHANNEL
    FOR_BLOCKS {
      const I end = min(inner, from + BLOCK_ELEMENTS);
      I i = from;
      for (; end - i >= 16; i += 16) {
        const V gv = LOAD16(gp + i);
        block_sum += gv;
        block_dot += gv * (LOAD16(xp + i) - m);
      }
      if (i < end) {
        const V gv = READ_REST(gp, (T)0);
        block_sum += gv;
        block_dot += gv * (READ_REST(xp, m) - m);
      }
      pending += end - from;
      if (pending >= BLOCK_ELEMENTS) {
        ADD(V, sum, sum_lost, block_sum)
        ADD(V, dot, dot_lost, block_dot)
        block_sum = block_dot = (V)((T)0);
        pending = 0;
      }
    }
#else
    FOR_ELEMENTS {
      const W gv = READ(gp, gi, (T)0);
      ADD(W, sum, sum_lost, gv)
      ADD(W, dot, dot_lost, gv * (READ(xp, xi, m) - m))
    }
#endif
  }
#ifdef CHANNEL
  ADD(V, sum, sum_lost, block_sum)
  ADD(V, dot, dot_lost, block_dot)
#endif
#ifdef GROUP
  const int l = (int)get_local_id(0);
  sums[l] = sum;
  sum_losts[l] = sum_lost;
  dots[l] = dot;
  dot_losts[l] = dot_lost;
  barrier(CLK_LOCAL_MEM_FENCE);
  const T total_g = shared_total(sums, sum_losts), total_dot = shared_total(dots, dot_losts) * inv;
#else
  const R total_g = SUM_TOTAL(sum, sum_lost), total_dot = SUM_TOTAL(dot, dot_lost) * inv;
#endif
  store_param(grad_weight, first, channels, cs.s3, total_dot);
  store_param(grad_bias, first, channels, cs.s4, total_g);

  const R scale = inv * load_param(weight, first, channels, cs.s0, (T)1);
#ifdef TRAINING
  const R mean_g = total_g / count, slope = total_dot / count * inv;
#endif
  global E *d_dst = d + first * dc;
  const I d_rows = d_base != 0 ? rows : 0;
  for (I row = ROW_START; row < d_rows; row += ROW_STEP) {
    const global E *gp = g_src + space_offset(dims, gs, row);
    const global E *xp = x_src + space_offset(dims, xs, row);
    global E *dp = d_dst + space_offset(dims, ds, row);
#ifdef TRAINING
#define GRAD(gv, xv) (((gv) - mean_g - ((xv) - m) * slope) * scale)
#else
#define GRAD(gv, xv) ((gv) * scale)
#endif
#ifdef CHANNEL
    // The last vector overlaps the one before where a row has a rest, so that it is computed before that one is stored: d may be g or x.
    if (inner >= 16) {
      const I end = inner - 16;
      const V rest = GRAD(LOAD16(gp + end), LOAD16(xp + end));
      for (I i = 0; i < end; i += 16) STORE16(dp + i, GRAD(LOAD16(gp + i), LOAD16(xp + i)));
      STORE16(dp + end, rest);
      continue;
    }
#endif
    FOR_ELEMENTS {
      const W v = GRAD(READ(gp, gi, (T)0), READ(xp, xi, m));
      WRITE(dp, di, v);
    }
  }
}
