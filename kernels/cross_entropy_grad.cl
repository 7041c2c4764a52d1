// d = g * (exp(x - lse) - onehot(target)) of each row, g the row's gradient (lib/loss.h); NaN throughout for a target that names no class, 0 for one
// that does not count. Rows are as in softmax.cl. With SMOOTHING (lib/smoothing.h), a = grad_loss (MEAN: / total_weight) and W the sum of the weights,
//   d[c] = a * (1 - smoothing) * weight[target] * (p - onehot) + a * smoothing / classes * (W * p - weight[c]), where p = exp(x[c] - lse).
//
// One program holds one variant:
//   VECTOR   a work-item does `per_item` rows with vectors of 16.                      Needs xa == da == 1.
//   COLUMN   a work-item does `per_item` blocks of 16 neighbouring rows, a lane each.  Needs rows as blocks of `inner` neighbours 1 apart in x and d;
//            dims counts the blocks, and rows is the number of blocks of 16; gi, ti and ei are the steps from neighbour to neighbour.
//   ELEMENT  a work-item does one element.                                             Any strides. Work: rows * length; neighbouring items along
//            the axis if per_item is 1, else along the rows. SMOOTHING adds W up for each.
#include "lib/space.h"
#include "lib/loss.h"
#if defined(VECTOR) || defined(COLUMN)
#include "lib/vector16.h"
#endif
#include "lib/smoothing.h"

// hard: the factor of p - onehot; soft: that of W * p - weight; 0 for a row that does not count.
typedef struct {
  T hard, soft;
  bool counts;
} Row;

static inline Row row_of(long target, I classes, long ignored, const global E *weight, long ws, T grad_loss, T total_weight, T smoothing) {
  Row row = {0, 0, target != ignored};
  if (!row.counts) return row;
  const T a = row_grad(grad_loss, total_weight), w = target_weight(target, classes, ignored, weight, ws);
#ifdef SMOOTHING
  row.hard = a * ((T)1 - smoothing) * w;
  row.soft = a * smoothing / (T)classes;
#else
  row.hard = a * w;
#endif
  return row;
}

// gs, ts, es, xs, ds: row strides of grad_loss (0 where the loss is one number), target, lse, x and d; xa, da: strides along the axis; ws: of weight.
kernel void cross_entropy_grad(ARG(const E, grad_loss), ARG(const E, x), ARG(const long, target), ARG(const E, weight), ARG(const T, total_weight),
                               ARG(const T, lse), ARG(E, d), I rows, I length, I inner, I per_item, long8 dims, long8 gs, long8 xs, long8 ts,
                               long8 es, long8 ds, long xa, long da, long gi, long ti, long ei, long ws, long ignored, T smoothing) {
  BIND(const E, grad_loss);
  BIND(const E, x);
  BIND(const long, target);
  BIND(const E, weight);
  BIND(const T, total_weight);
  BIND(const T, lse);
  BIND(E, d);
  const I id = (I)get_global_id(0);
#ifdef ELEMENT
  if (id >= rows * length) return;
#endif
  SMOOTH(const T weights_sum = all_weights(weight, ws, length);)

#if defined(VECTOR)
  const I last = id * per_item + min(per_item, rows - id * per_item);
  for (I row = id * per_item; row < last; ++row) {
    const long t = target[space_offset(dims, ts, row)];
    const Row r = row_of(t, length, ignored, weight, ws, LOAD_AT(grad_loss, space_offset(dims, gs, row)), *total_weight, smoothing);
    const T e = lse[space_offset(dims, es, row)];
    const global E *src = x + space_offset(dims, xs, row);
    global E *dst = d + space_offset(dims, ds, row);
    const T scale = r.hard SMOOTH(+ r.soft * weights_sum);
    for (I i = 0; i < length; i += 16) {
      const int n = (int)min((I)16, length - i);
      V v = exp(load_upto(src + i, n, (T)0) - e) * scale;
      SMOOTH(v -= r.soft * class_weights(weight, ws, i, length);)
      store_upto(r.counts ? v : (V)((T)0), n, dst + i);
    }
    if (r.counts && names_class(t, length)) {
      const T shifted = LOAD_AT(src, t) - e;
      const T v = expm1(shifted) * r.hard SMOOTH(+ r.soft * (weights_sum * exp(shifted) - class_weight(weight, ws, (I)t)));
      STORE_AT(dst, t, v);
    }
  }

#elif defined(COLUMN)
  const I last = id * per_item + min(per_item, rows - id * per_item), blocks = (inner + 15) / 16;
  for (I row = id * per_item; row < last; ++row) {
    const I outer = row / blocks, first = row % blocks * 16;
    const int n = (int)min((I)16, inner - first);
    const global E *src = x + space_offset(dims, xs, outer) + first;
    global E *dst = d + space_offset(dims, ds, outer) + first;
    const global long *ts_at = target + space_offset(dims, ts, outer) + first * ti;
    V hard = (V)((T)0), soft = hard, e = hard, counts = hard;
    T *hard_lane = (T *)&hard, *soft_lane = (T *)&soft, *e_lane = (T *)&e, *counts_lane = (T *)&counts;
    for (int l = 0; l < n; ++l) {
      const T g = LOAD_AT(grad_loss, space_offset(dims, gs, outer) + (first + l) * gi);
      const Row r = row_of(ts_at[l * ti], length, ignored, weight, ws, g, *total_weight, smoothing);
      hard_lane[l] = r.hard;
      soft_lane[l] = r.soft;
      counts_lane[l] = r.counts;
      e_lane[l] = lse[space_offset(dims, es, outer) + (first + l) * ei];
    }
    const V scale = hard SMOOTH(+ soft * weights_sum);
    for (I i = 0; i < length; ++i) {
      V v = exp(load_upto(src + i * xa, n, (T)0) - e) * scale;
      SMOOTH(v -= soft * class_weight(weight, ws, i);)
      store_upto(counts != (V)((T)0) ? v : (V)((T)0), n, dst + i * da);
    }
    for (int l = 0; l < n; ++l) {
      const long t = ts_at[l * ti];
      if (counts_lane[l] == 0 || !names_class(t, length)) continue;
      const T shifted = LOAD_AT(src, t * xa + l) - e_lane[l];
      const T v = expm1(shifted) * hard_lane[l] SMOOTH(+ soft_lane[l] * (weights_sum * exp(shifted) - class_weight(weight, ws, (I)t)));
      STORE_AT(dst, t * da + l, v);
    }
  }

#else
  const I row = per_item == 1 ? id / length : id % rows, c = per_item == 1 ? id % length : id / rows;
  const long t = target[space_offset(dims, ts, row)];
  const Row r = row_of(t, length, ignored, weight, ws, LOAD_AT(grad_loss, space_offset(dims, gs, row)), *total_weight, smoothing);
  T value = 0;
  if (r.counts) {
    const T shifted = LOAD_AT(x, space_offset(dims, xs, row) + c * xa) - lse[space_offset(dims, es, row)];
    value = (c == t ? expm1(shifted) : exp(shifted)) * r.hard;
    SMOOTH(value += r.soft * (weights_sum * exp(shifted) - class_weight(weight, ws, c));)
  }
  STORE_AT(d, space_offset(dims, ds, row) + c * da, value);
#endif
}
