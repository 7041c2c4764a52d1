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
  FOR_ROWS {
    const global E *gp = g_src + space_offset(dims, gs, row);
    const global E *xp = x_src + space_offset(dims, xs, row);
    FOR_ELEMENTS {
      const W gv = READ(gp, gi, (T)0);
      ADD(W, sum, sum_lost, gv)
      ADD(W, dot, dot_lost, gv * (READ(xp, xi, m) - m))
    }
  }
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
    FOR_ELEMENTS {
#ifdef TRAINING
      const W v = (READ(gp, gi, (T)0) - mean_g - (READ(xp, xi, m) - m) * slope) * scale;
#else
      const W v = READ(gp, gi, (T)0) * scale;
#endif
      WRITE(dp, di, v);
    }
  }
}
