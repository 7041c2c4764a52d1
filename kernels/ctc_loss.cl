// The CTC loss of each sample, and log_alpha: the logarithm of the probability of the labels up to position s at step t, over all paths (Graves et al. 2006);
// minus infinity beyond the sample's lengths. Any strides.
//
// One program holds one variant:
//   ITEM   a work-item does a sample.
//   GROUP  a work-group of GROUP items does a sample, an item every GROUP-th position of a step.
#include "lib/ctc.h"

// Strides: p (log_prob) pt, pn, pc; target tn, ts; lengths in, ln; loss on; alpha an, at, as.
kernel void ctc_loss(ARG(const E, p), ARG(const long, target), ARG(const long, input_length), ARG(const long, target_length), ARG(E, loss), ARG(T, alpha),
                     I steps, I batch, I classes, I labels, long blank, long pt, long pn, long pc, long tn, long ts, long in, long ln, long on, long an,
                     long at, long as) {
  BIND(const E, p);
  BIND(const long, target);
  BIND(const long, input_length);
  BIND(const long, target_length);
  BIND(E, loss);
  BIND(T, alpha);
  const I n = UNIT;
#ifndef GROUP  // whose global size is exact: no return may stand before a barrier
  if (n >= batch) return;
#endif
  const global E *prob = p + n * pn;
  const global long *symbols = target + n * tn;
  global T *a = alpha + n * an;
  const Sample sample = sample_of(symbols, ts, input_length[n * in], target_length[n * ln], steps, labels, classes);
  for (I t = 0; t < steps; ++t) {
    global T *row = a + t * at;
    const global T *above = row - at;
    for (I s = ITEMS_START; s < 2 * labels + 1; s += ITEMS_STEP) {
      T value = (T)-INFINITY;
      if (t < sample.steps && s <= sample.end) {
        const long c = symbol(symbols, ts, s, blank);
        T before = s <= 1 ? (T)0 : (T)-INFINITY;
        if (t > 0) {
          const bool skips = s >= 2 && symbol(symbols, ts, s - 2, blank) != c;
          before = log_sum3(above[s * as], s >= 1 ? above[(s - 1) * as] : (T)-INFINITY, skips ? above[(s - 2) * as] : (T)-INFINITY);
        }
        value = before + LOAD_AT(prob, t * pt + c * pc);
      }
      row[s * as] = value;
    }
#ifdef GROUP
    barrier(CLK_GLOBAL_MEM_FENCE);
#endif
  }
  if (ITEMS_START == 0) STORE_AT(loss, n * on, loss_of(sample, a, at, as));
}
