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

// A sample's own lengths. Where they or its labels do not lie in their ranges it is not valid, and has no steps, labels or positions.
typedef struct {
  bool valid;
  I steps, labels, end;  // end: the last position
} Sample;

static inline Sample sample_of(const global long *labels, long stride, long input_length, long target_length, I steps, I most_labels, I classes) {
  Sample s = {input_length >= 0 && input_length <= steps && target_length >= 0 && target_length <= most_labels, 0, 0, -1};
  for (I k = 0; s.valid && k < (I)target_length; ++k) s.valid = labels[k * stride] >= 0 && labels[k * stride] < classes;
  if (s.valid) {
    s.steps = (I)input_length;
    s.labels = (I)target_length;
    s.end = 2 * s.labels;
  }
  return s;
}

// log_alpha of a sample gives its loss.
static inline T loss_of(Sample sample, const global T *alpha, long at, long as) {
  if (!sample.valid) return (T)NAN;
  if (sample.steps == 0) return sample.end == 0 ? (T)0 : (T)INFINITY;
  const global T *last = alpha + (sample.steps - 1) * at;
  return -(sample.end == 0 ? last[0] : log_sum2(last[sample.end * as], last[(sample.end - 1) * as]));
}
