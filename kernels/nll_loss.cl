// Negative log likelihood: loss = -weight[target] * x[target] of each row (NONE: an output each), summed, or (MEAN) divided by the total weight. Rows are as
// in softmax.cl; sums, targets and `finish` as in lib/loss.h.
//
// One program holds one variant; both take any strides:
//   ITEM   a work-item does `per_item` rows.
//   GROUP  a work-group of GROUP items does `per_item` rows, an item a row in turn.
#include "lib/space.h"
#include "lib/loss.h"

// xs, ts, ls: row strides of x, target and (NONE) loss; xa: stride of x along the axis; ws: of weight. partial: NULL where one entry is all.
kernel void nll_loss(ARG(const E, x), ARG(const long, target), ARG(const E, weight), ARG(E, loss), ARG(T, total_weight), ARG(T, partial), I rows,
                     I length, I per_item, long8 dims, long8 xs, long8 ts, long8 ls, long xa, long ws, long ignored) {
  BIND(const E, x);
  BIND(const long, target);
  BIND(const E, weight);
  BIND(E, loss);
  BIND(T, total_weight);
  BIND(T, partial);
#ifdef GROUP
  local T scratch[GROUP];
  const I id = (I)get_group_id(0);
#else
  const I id = (I)get_global_id(0);
  if (id > 0 && id > (rows - 1) / per_item) return;  // the global size is rounded up
#endif
  const I last = id * per_item + min(per_item, rows - id * per_item);
  T losses = 0, weights = 0;
  for (I row = id * per_item + LOCAL_INDEX; row < last;) {
    T part = 0, part_weight = 0;
    for (int k = 0; k < ROWS_CHUNK && row < last; ++k, row += LOCAL_COUNT) {
      const long t = target[space_offset(dims, ts, row)];
      const T w = target_weight(t, length, ignored, weight, ws);
      const T value = t == ignored ? (T)0 : names_class(t, length) ? -w * LOAD_AT(x, space_offset(dims, xs, row) + t * xa) : (T)NAN;
#ifdef NONE
      STORE_AT(loss, space_offset(dims, ls, row), value);
#endif
      part += value;
      part_weight += w;
    }
    losses += part;
    weights += part_weight;
  }
  losses = group_sum(scratch, losses);
  weights = group_sum(scratch, weights);
  if (LOCAL_INDEX != 0) return;
  if (partial_base == 0) {
    store_totals(losses, weights, loss, total_weight);
  } else {
    partial[2 * id] = losses;
    partial[2 * id + 1] = weights;
  }
}
