// d, the gradient of the log probabilities: minus the row's gradient at its class and 0 elsewhere; NaN throughout for a target that names no class,
// 0 for one that does not count. Rows are as in softmax.cl, targets as in lib/loss.h.
//
// One program holds one variant; both take any strides:
//   ROW      a work-item does `per_item` rows.
//   ELEMENT  a work-item does one element. Work: rows * length; neighbouring items along the axis if per_item is 1, else along the rows.
#include "lib/space.h"
#include "lib/loss.h"

// gs, ts, ds: row strides of grad_loss (0 where the loss is one number), target and d; da: stride of d along the axis; ws: of weight.
kernel void nll_loss_grad(ARG(const E, grad_loss), ARG(const long, target), ARG(const E, weight), ARG(const T, total_weight), ARG(E, d), I rows,
                          I length, I per_item, long8 dims, long8 gs, long8 ts, long8 ds, long da, long ws, long ignored) {
  BIND(const E, grad_loss);
  BIND(const long, target);
  BIND(const E, weight);
  BIND(const T, total_weight);
  BIND(E, d);
  const I id = (I)get_global_id(0);
#ifdef ROW
  const I last = id * per_item + min(per_item, rows - id * per_item);
  for (I row = id * per_item; row < last; ++row) {
#else
  if (id >= rows * length) return;
  const I row = per_item == 1 ? id / length : id % rows, c = per_item == 1 ? id % length : id / rows;
  {
#endif
    const long t = target[space_offset(dims, ts, row)];
    const T w = target_weight(t, length, ignored, weight, ws);
    const T g = t == ignored ? (T)0 : row_grad(LOAD_AT(grad_loss, space_offset(dims, gs, row)), *total_weight) * w;
    const bool named = names_class(t, length);
    const T rest = t == ignored || named ? (T)0 : (T)NAN;
    global E *dst = d + space_offset(dims, ds, row);
#ifdef ROW
    if (da == 1) {  // so that the compiler sees neighbours
      for (I c = 0; c < length; ++c) STORE_AT(dst, c, rest);
    } else {
      for (I c = 0; c < length; ++c) STORE_AT(dst, c * da, rest);
    }
    if (named) STORE_AT(dst, t * da, -g);
#else
    STORE_AT(dst, c * da, named && c == t ? -g : rest);
#endif
  }
}
