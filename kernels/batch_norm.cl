// Training-mode batch normalisation of each channel: mean, biased variance, y = (x - mean) * invstd * weight + bias, and the running statistics with the
// unbiased variance (0 / 0, so NaN, for a channel of one element, as PyTorch has it). weight, bias, the running tensors, and all outputs but y may
// be NULL; a new running tensor may be its old one.
//
// A second pass measures around the first pass's rough mean: the mean is rough + delta, kept apart until the end since their sum would round, and the
// variance is corrected by delta (Chan, Golub, LeVeque, "Algorithms for computing the sample variance"). Variants, the walk, and their preconditions: lib/channel.h. Every variant reads a channel three times, and
// the second and third time from the cache where it fits.
#include "lib/channel.h"

// cs: strides of weight, bias, running mean and var, mean, invstd, new running mean and var. xc, xi: strides of x along channels and `inner`.
kernel void batch_norm(ARG(const E, x), ARG(const P, weight), ARG(const P, bias), ARG(const P, running_mean), ARG(const P, running_var), ARG(E, y),
                       ARG(T, mean), ARG(T, invstd), ARG(P, new_mean), ARG(P, new_var), I channels, I rows, I inner, long8 dims, long8 xs,
                       long8 ys, long xc, long yc, long xi, long yi, long8 cs, T eps, T momentum) {
  BIND(const E, x);
  BIND(const P, weight);
  BIND(const P, bias);
  BIND(const P, running_mean);
  BIND(const P, running_var);
  BIND(E, y);
  BIND(T, mean);
  BIND(T, invstd);
  BIND(P, new_mean);
  BIND(P, new_var);
#ifdef GROUP
  local T scratch[GROUP], sums[GROUP], squares_sums[GROUP], squares_losts[GROUP];
#endif
  const I first = FIRST;
#ifndef GROUP  // whose global size is exact: no return may stand before a barrier
  if (first >= channels) return;
#endif
  const global E *src = x + first * xc;
  global E *dst = y + first * yc;
  const T count = (T)rows * (T)inner;

  W sum = (W)((T)0);
#ifdef CHANNEL
  V sum1 = sum;
#endif
  FOR_ROWS {
    const global E *p = src + space_offset(dims, xs, row);
#ifdef CHANNEL
    const I end = inner;
    I i = 0;
    for (; end - i >= 32; i += 32) {
      sum += LOAD16(p + i);
      sum1 += LOAD16(p + i + 16);
    }
    for (; end - i >= 16; i += 16) sum += LOAD16(p + i);
    if (i < end) sum1 += READ_REST(p, (T)0);
#else
    FOR_ELEMENTS sum += READ(p, xi, (T)0);
#endif
  }
#ifdef CHANNEL
  sum += sum1;
#endif
  const R rough = TOTAL(sum) / count;

  W squares = (W)((T)0), lost = squares;
  sum = squares;
#ifdef CHANNEL
  V block = squares;
  I pending = 0;
#endif
  FOR_ROWS {
    const global E *p = src + space_offset(dims, xs, row);
#ifdef CHANNEL
    FOR_BLOCKS {
      const I end = min(inner, from + BLOCK_ELEMENTS);
      I i = from;
      for (; end - i >= 16; i += 16) {
        const V d = LOAD16(p + i) - rough;
        sum += d;
        block += d * d;
      }
      if (i < end) {
        const V d = READ_REST(p, rough) - rough;
        sum += d;
        block += d * d;
      }
      pending += end - from;
      if (pending >= BLOCK_ELEMENTS) {
        ADD(V, squares, lost, block)
        block = (V)((T)0);
        pending = 0;
      }
    }
#else
    FOR_ELEMENTS {
      const W d = READ(p, xi, rough) - rough;
      sum += d;
      ADD(W, squares, lost, d * d)
    }
#endif
  }
#ifdef CHANNEL
  ADD(V, squares, lost, block)
#endif
#ifdef GROUP
  const int l = (int)get_local_id(0);
  sums[l] = sum;
  squares_sums[l] = squares;
  squares_losts[l] = lost;
  barrier(CLK_LOCAL_MEM_FENCE);
  T whole = 0, whole_lost = 0;
  for (int k = 0; k < GROUP; ++k) ADD(T, whole, whole_lost, sums[k])
  const T delta = (whole + whole_lost) / count, about = shared_total(squares_sums, squares_losts);
#else
  const R delta = TOTAL(sum) / count, about = SUM_TOTAL(squares, lost);
#endif
  const R m = rough + delta, m2 = about - delta * delta * count;

  const R inv = (T)1 / sqrt(m2 / count + eps);
  const R scale = inv * load_param(weight, first, channels, cs.s0, (T)1), shift = load_param(bias, first, channels, cs.s1, (T)0);
  FOR_ROWS {
    const global E *p = src + space_offset(dims, xs, row);
    global E *q = dst + space_offset(dims, ys, row);
#define NORMAL(xv) (((xv) - rough - delta) * scale + shift)
#ifdef CHANNEL
    // The last vector overlaps the one before where a row has a rest, so that it is computed before that one is stored: y may be x.
    if (inner >= 16) {
      const I end = inner - 16;
      const V rest = NORMAL(LOAD16(p + end));
      for (I i = 0; i < end; i += 16) STORE16(q + i, NORMAL(LOAD16(p + i)));
      STORE16(q + end, rest);
      continue;
    }
#endif
    FOR_ELEMENTS {
      const W v = NORMAL(READ(p, xi, (T)0));
      WRITE(q, yi, v);
    }
  }

  store_channel(mean, first, channels, cs.s4, m);
  store_channel(invstd, first, channels, cs.s5, inv);
  if (STORES) {  // nobody else reads a running value either, since the new one may take its place
    store_param(new_mean, first, channels, cs.s6, ((T)1 - momentum) * load_param(running_mean, first, channels, cs.s2, (T)0) + momentum * m);
    store_param(new_var, first, channels, cs.s7,
                ((T)1 - momentum) * load_param(running_var, first, channels, cs.s3, (T)0) + momentum * (m2 / (count - (T)1)));
  }
}
