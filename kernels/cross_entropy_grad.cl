// d = g * (exp(x - lse) - onehot(target)) of each row, g the row's gradient (lib/loss.h); NaN throughout for a target that names no class, 0 for one
// that does not count. Rows are as in softmax.cl.
//
// One program holds one variant:
//   VECTOR   a work-item does `per_item` rows with vectors of 16.                      Needs xa == da == 1.
//   COLUMN   a work-item does `per_item` blocks of 16 neighbouring rows, a lane each.  Needs rows as blocks of `inner` neighbours 1 apart in x and d;
//            dims counts the blocks, and rows is the number of blocks of 16; gi, ti and ei are the steps from neighbour to neighbour.
//   ELEMENT  a work-item does one element.                                             Any strides. Work: rows * length; neighbouring items along
//            the axis if per_item is 1, else along the rows.
#include "lib/space.h"
#include "lib/loss.h"
#if defined(VECTOR) || defined(COLUMN)
#include "lib/vector16.h"
#endif

// gs, ts, es, xs, ds: row strides of grad_loss (0 where the loss is one number), target, lse, x and d; xa, da: strides along the axis; ws: of weight.
kernel void cross_entropy_grad(ARG(const T, grad_loss), ARG(const T, x), ARG(const long, target), ARG(const T, weight), ARG(const T, total_weight),
                               ARG(const T, lse), ARG(T, d), int rows, int length, int inner, int per_item, long8 dims, long8 gs, long8 xs, long8 ts,
                               long8 es, long8 ds, long xa, long da, long gi, long ti, long ei, long ws, long ignored) {
  BIND(const T, grad_loss);
  BIND(const T, x);
  BIND(const long, target);
  BIND(const T, weight);
  BIND(const T, total_weight);
  BIND(const T, lse);
  BIND(T, d);
  const int id = (int)get_global_id(0);

#if defined(VECTOR)
  const int last = id * per_item + min(per_item, rows - id * per_item);
  const int whole = length / 16 * 16, rest = length - whole;
  for (int row = id * per_item; row < last; ++row) {
    const long t = target[space_offset(dims, ts, row)];
    const T w = target_weight(t, length, ignored, weight, ws);
    const bool counts = t != ignored;
    const T g = counts ? row_grad(grad_loss[space_offset(dims, gs, row)], w, *total_weight) : (T)0, e = lse[space_offset(dims, es, row)];
    const global T *src = x + space_offset(dims, xs, row);
    global T *dst = d + space_offset(dims, ds, row);
    for (int i = 0; i < whole; i += 16) vstore16(counts ? exp(vload16(0, src + i) - e) * g : (V)((T)0), 0, dst + i);
    if (rest > 0) store_part(counts ? exp(load_part(src + whole, rest, (T)0) - e) * g : (V)((T)0), rest, dst + whole);
    if (counts && names_class(t, length)) dst[t] = expm1(src[t] - e) * g;
  }

#elif defined(COLUMN)
  const int last = id * per_item + min(per_item, rows - id * per_item);
  const int blocks = (inner + 15) / 16;
  for (int row = id * per_item; row < last; ++row) {
    const int outer = row / blocks, first = row % blocks * 16, n = inner - first;
    const global T *src = x + space_offset(dims, xs, outer) + first;
    global T *dst = d + space_offset(dims, ds, outer) + first;
    const global long *ts_at = target + space_offset(dims, ts, outer) + first * ti;
    V g = (V)((T)0), e = (V)((T)0), counts = (V)((T)0);
    T *g_lane = (T *)&g, *e_lane = (T *)&e, *counts_lane = (T *)&counts;
    for (int l = 0; l < min(16, n); ++l) {
      const long t = ts_at[l * ti];
      if (t == ignored) continue;
      const T w = target_weight(t, length, ignored, weight, ws);
      g_lane[l] = row_grad(grad_loss[space_offset(dims, gs, outer) + (first + l) * gi], w, *total_weight);
      e_lane[l] = lse[space_offset(dims, es, outer) + (first + l) * ei];
      counts_lane[l] = 1;
    }
    for (int i = 0; i < length; ++i) {
      const V v = exp(load_upto(src + i * xa, n, (T)0) - e) * g;
      store_upto(counts != (V)((T)0) ? v : (V)((T)0), n, dst + i * da);
    }
    for (int l = 0; l < min(16, n); ++l) {
      const long t = ts_at[l * ti];
      if (counts_lane[l] != 0 && names_class(t, length)) dst[t * da + l] = expm1(src[t * xa + l] - e_lane[l]) * g_lane[l];
    }
  }

#else
  if (id >= rows * length) return;
  const int row = per_item == 1 ? id / length : id % rows, c = per_item == 1 ? id % length : id / rows;
  const long t = target[space_offset(dims, ts, row)];
  T value = 0;
  if (t != ignored) {
    const T w = target_weight(t, length, ignored, weight, ws);
    const T g = row_grad(grad_loss[space_offset(dims, gs, row)], w, *total_weight);
    const T shifted = x[space_offset(dims, xs, row) + c * xa] - lse[space_offset(dims, es, row)];
    value = (c == t ? expm1(shifted) : exp(shifted)) * g;
  }
  d[space_offset(dims, ds, row) + c * da] = value;
#endif
}
