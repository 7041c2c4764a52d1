// d, the gradient of the log probabilities: minus the row's gradient at its class and 0 elsewhere; NaN throughout for a target that names no class,
// 0 for one that does not count. Rows are as in softmax.cl, targets as in lib/loss.h.
//
// One program holds one variant; both take any strides:
//   ROW      a work-item does `per_item` rows.
//   ELEMENT  a work-item does one element. Work: rows * length; neighbouring items along the axis if per_item is 1, else along the rows.
#include "lib/space.h"
#include "lib/loss.h"

// gs, ts, ds: row strides of grad_loss (0 where the loss is one number), target and d; da: stride of d along the axis; ws: of weight.
kernel void nll_loss_grad(ARG(const T, grad_loss), ARG(const long, target), ARG(const T, weight), ARG(const T, total_weight), ARG(T, d), int rows,
                          int length, int per_item, long8 dims, long8 gs, long8 ts, long8 ds, long da, long ws, long ignored) {
  BIND(const T, grad_loss);
  BIND(const long, target);
  BIND(const T, weight);
  BIND(const T, total_weight);
  BIND(T, d);
  const int id = (int)get_global_id(0);
#ifdef ROW
  const int last = id * per_item + min(per_item, rows - id * per_item);
  for (int row = id * per_item; row < last; ++row) {
#else
  if (id >= rows * length) return;
  const int row = per_item == 1 ? id / length : id % rows, c = per_item == 1 ? id % length : id / rows;
  {
#endif
    const long t = target[space_offset(dims, ts, row)];
    const T w = target_weight(t, length, ignored, weight, ws);
    const T g = t == ignored ? (T)0 : row_grad(grad_loss[space_offset(dims, gs, row)], w, *total_weight);
    const bool named = names_class(t, length);
    const T rest = t == ignored || named ? (T)0 : (T)NAN;
    global T *dst = d + space_offset(dims, ds, row);
#ifdef ROW
    for (int c = 0; c < length; ++c) dst[c * da] = rest;
    if (named) dst[t * da] = -g;
#else
    dst[c * da] = named && c == t ? -g : rest;
#endif
  }
}
