// The gradient of the CTC loss: g * (exp(log_prob) - the share of all paths that pass through the class at the step), equation 16 of Graves et al. 2006;
// 0 from a sample's length on; NaN for an infinite loss, unless ZERO_INFINITY, and for a sample that is not valid. Any strides. Two kernels:
//   ctc_beta       log_beta [N, T, 2S+1], the logarithm of the probability of the labels from position s on at step t, and `next` [N, S]: where a label
//                  stands again (`labels`: nowhere), its bits inverted if it stood before or is the blank. A sample a work-item (ITEM) or work-group (GROUP).
//   ctc_loss_grad  the sums. A step of a sample a work-item or work-group; a label's sum is taken where it stands first.
#include "lib/ctc.h"

#ifdef BETA
// Strides: p (log_prob) pt, pn, pc; target tn, ts; lengths in, ln.
kernel void ctc_beta(ARG(const E, p), ARG(const long, target), ARG(const long, input_length), ARG(const long, target_length), ARG(T, beta), ARG(I, next),
                     I steps, I batch, I classes, I labels, long blank, long pt, long pn, long pc, long tn, long ts, long in, long ln) {
  BIND(const E, p);
  BIND(const long, target);
  BIND(const long, input_length);
  BIND(const long, target_length);
  BIND(T, beta);
  BIND(I, next);
  const I n = UNIT;
#ifndef GROUP  // whose global size is exact: no return may stand before a barrier
  if (n >= batch) return;
#endif
  const global E *prob = p + n * pn;
  const global long *symbols = target + n * tn;
  const I width = 2 * labels + 1;
  global T *b = beta + (long)n * steps * width;
  const Sample sample = sample_of(symbols, ts, input_length[n * in], target_length[n * ln], steps, labels, classes);
  const I end = sample.end;
  for (I k = ITEMS_START; k < sample.labels; k += ITEMS_STEP) {
    const long label = symbols[k * ts];
    I again = k + 1, before = 0;
    while (again < sample.labels && symbols[again * ts] != label) ++again;
    while (before < k && symbols[before * ts] != label) ++before;
    if (again == sample.labels) again = labels;
    next[(long)n * labels + k] = before < k || label == blank ? ~again : again;
  }
  for (I back = 0; back < sample.steps; ++back) {
    const I t = sample.steps - 1 - back;
    global T *row = b + (long)t * width;
    const global T *below = row + width;
    for (I s = ITEMS_START; s <= end; s += ITEMS_STEP) {
      const long c = symbol(symbols, ts, s, blank);
      T after = s >= end - 1 ? (T)0 : (T)-INFINITY;
      if (back > 0) {
        const bool skips = s + 2 <= end && symbol(symbols, ts, s + 2, blank) != c;
        after = log_sum3(below[s], s + 1 <= end ? below[s + 1] : (T)-INFINITY, skips ? below[s + 2] : (T)-INFINITY);
      }
      row[s] = after + LOAD_AT(prob, t * pt + c * pc);
    }
#ifdef GROUP
    barrier(CLK_GLOBAL_MEM_FENCE);
#endif
  }
}

#else
// Strides: grad_loss gn; p pt, pn, pc; target tn, ts; lengths in, ln; alpha an, at, as; d dt, dn, dc.
kernel void ctc_loss_grad(ARG(const E, grad_loss), ARG(const E, p), ARG(const long, target), ARG(const long, input_length), ARG(const long, target_length),
                          ARG(const T, alpha), ARG(E, d), ARG(const T, beta), ARG(const I, next), I steps, I batch, I classes, I labels, long blank,
                          long pt, long pn, long pc, long tn, long ts, long in, long ln, long gn, long an, long at, long as, long dt, long dn, long dc) {
  BIND(const E, grad_loss);
  BIND(const E, p);
  BIND(const long, target);
  BIND(const long, input_length);
  BIND(const long, target_length);
  BIND(const T, alpha);
  BIND(E, d);
  BIND(const T, beta);
  BIND(const I, next);
#ifdef GROUP
  local T scratch[GROUP];
#else
  if (UNIT >= steps * batch) return;
#endif
  const I n = UNIT % batch, t = UNIT / batch, width = 2 * labels + 1;
  const global long *symbols = target + n * tn;
  const Sample sample = sample_of(symbols, ts, input_length[n * in], target_length[n * ln], steps, labels, classes);
  const T nll = loss_of(sample, alpha + n * an, at, as);
  const bool zero = sample.valid && t >= sample.steps;
#ifdef ZERO_INFINITY
  const bool none = zero || nll == (T)INFINITY;
#else
  const bool none = zero;
#endif
  const bool finite = isfinite(nll) && !none;
  const global E *prob = p + t * pt + n * pn;
  global E *row = d + t * dt + n * dn;
  const global T *a = alpha + n * an + t * at, *b = beta + ((long)n * steps + t) * width;
  const T g = LOAD_AT(grad_loss, n * gn);
  for (I c = ITEMS_START; c < classes; c += ITEMS_STEP)
    STORE_AT(row, c * dc, finite ? g * exp(LOAD_AT(prob, c * pc)) : none ? (T)0 : (T)NAN);
  // A position's share of the paths.
#define SHARE(s, log_prob) (a[(s) * as] + b[s] == (T)-INFINITY ? (T)0 : exp(a[(s) * as] + b[s] + nll - (log_prob)))
  T blanks = 0;
  const T blank_prob = LOAD_AT(prob, blank * pc);
  for (I s = ITEMS_START; finite && s <= sample.end; s += ITEMS_STEP) {
    if (symbol(symbols, ts, s, blank) == blank) blanks += SHARE(s, blank_prob);
  }
#ifdef GROUP
  const int l = (int)get_local_id(0);
  scratch[l] = blanks;
  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);  // and what was stored to the row is overwritten in parts below
  for (int half_size = GROUP / 2; half_size > 0; half_size /= 2) {
    if (l < half_size) scratch[l] += scratch[l + half_size];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  blanks = scratch[0];
#endif
  if (finite && ITEMS_START == 0) STORE_AT(row, blank * dc, g * (exp(blank_prob) - blanks));
  for (I k = ITEMS_START; finite && k < sample.labels; k += ITEMS_STEP) {
    const global I *again = next + (long)n * labels;
    if (again[k] < 0) continue;
    const long c = symbols[k * ts];
    const T log_prob = LOAD_AT(prob, c * pc);
    T share = 0;
    for (I j = k; j < labels; j = again[j] < 0 ? ~again[j] : again[j]) share += SHARE(2 * j + 1, log_prob);
    STORE_AT(row, c * dc, g * (exp(log_prob) - share));
  }
}
#endif
