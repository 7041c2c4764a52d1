// What the class losses share: targets, and how the rows' losses become one number. A target equal to `ignored` does not count; one that names no class
// weighs NaN, because a kernel cannot raise.
//
// Sums are taken in a fixed order: each work-item (GROUP: work-group) sums its rows by chunks into one entry of `partial`, two values of T, the loss and
// the weight; kernel `finish` adds the entries up. Where there is one entry, it is finished at once and `finish` is not run. total_weight, lse and the partial
// sums are T also where the scores are halves: they would not bear the rounding.
#include "lib/arg.h"
#include "lib/index.h"
#include "lib/storage.h"

#define ROWS_CHUNK 128

static inline bool names_class(long target, I classes) { return target >= 0 && target < classes; }

static inline T target_weight(long target, I classes, long ignored, const global E *weight, long stride) {
  if (target == ignored) return (T)0;
  if (!names_class(target, classes)) return (T)NAN;
  return weight != 0 ? LOAD_AT(weight, target * stride) : (T)1;
}

// The gradient of the loss with respect to a row's loss.
static inline T row_grad(T grad_loss, T total_weight) {
#ifdef MEAN
  return grad_loss / total_weight;
#else
  return grad_loss;
#endif
}

static inline void store_totals(T loss, T weight, global E *out, global T *total_weight) {
#ifdef MEAN
  STORE_AT(out, 0, loss / weight);
#elif !defined(NONE)
  STORE_AT(out, 0, loss);
#endif
  *total_weight = weight;
}

#ifdef GROUP
#include "lib/group.h"
#define LOCAL_INDEX ((int)get_local_id(0))
#define LOCAL_COUNT GROUP
#else
#define group_sum(scratch, v) (v)
#define LOCAL_INDEX 0
#define LOCAL_COUNT 1
#endif

// One work-item, or with GROUP one work-group.
kernel void finish(ARG(const T, partial), int entries, ARG(E, loss), ARG(T, total_weight)) {
  BIND(const T, partial);
  BIND(E, loss);
  BIND(T, total_weight);
#ifdef GROUP
  local T scratch[GROUP];
#endif
  T losses = 0, weights = 0;
  for (int i = LOCAL_INDEX; i < entries; i += LOCAL_COUNT) {
    losses += partial[2 * i];
    weights += partial[2 * i + 1];
  }
  losses = group_sum(scratch, losses);
  weights = group_sum(scratch, weights);
  if (LOCAL_INDEX == 0) store_totals(losses, weights, loss, total_weight);
}
