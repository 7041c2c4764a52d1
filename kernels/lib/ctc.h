// What the kernels of the CTC loss share: the labels of a sample with blanks between them, and sums in logarithms. A sample is walked by one work-item, or with
// GROUP by one work-group, which shares out the positions of a step.
#include "lib/arg.h"
#include "lib/index.h"
#include "lib/storage.h"

#ifdef GROUP
#define ITEMS_START ((I)get_local_id(0))
#define ITEMS_STEP GROUP
#define UNIT ((I)get_group_id(0))
#else
#define ITEMS_START 0
#define ITEMS_STEP 1
#define UNIT ((I)get_global_id(0))
#endif

static inline T log_sum2(T a, T b) {
  const T top = a > b ? a : b;
  return top == (T)-INFINITY ? a + b : top + log(exp(a - top) + exp(b - top));
}

static inline T log_sum3(T a, T b, T c) {
  const T ab = a > b ? a : b, top = ab > c ? ab : c;
  return top == (T)-INFINITY ? a + b + c : top + log(exp(a - top) + exp(b - top) + exp(c - top));
}

// The symbol at position s: the labels with a blank before, between and behind them.
static inline long symbol(const global long *labels, long stride, I s, long blank) { return s % 2 == 0 ? blank : labels[(s / 2) * stride]; }

// Lengths and labels lie in their ranges; if not, the sample is NaN.
static inline bool sample_is_valid(const global long *labels, long stride, long input_length, long target_length, I steps, I most_labels, I classes) {
  if (input_length < 0 || input_length > steps || target_length < 0 || target_length > most_labels) return false;
  for (I k = 0; k < (I)target_length; ++k) {
    if (labels[k * stride] < 0 || labels[k * stride] >= classes) return false;
  }
  return true;
}

// log_alpha of a sample gives the logarithm of its probability. end: 2 * target_length.
static inline T log_likelihood(const global T *alpha, long at, long as, I input_length, I end) {
  if (input_length == 0) return end == 0 ? (T)0 : (T)-INFINITY;
  const global T *last = alpha + (input_length - 1) * at;
  return end == 0 ? last[0] : log_sum2(last[end * as], last[(end - 1) * as]);
}
