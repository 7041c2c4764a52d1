// Log-softmax along the axis and negative log likelihood in one: lse = log(sum(exp(x))) of each row, its maximum taken out first, and loss =
// weight[target] * (lse - x[target]) (NONE: an output each), summed, or (MEAN) divided by the total weight. Rows are as in softmax.cl; sums, targets
// and `finish` as in lib/loss.h; SMOOTHING as in lib/smoothing.h.
//
// One program holds one variant:
//   VECTOR  a work-item does `per_item` rows with vectors of 16.                         Needs xa == 1.
//   COLUMN  a work-item does `per_item` blocks of 16 neighbouring rows, a lane each.     Needs rows as blocks of `inner` neighbours 1 apart in x;
//           dims counts the blocks, and rows is the number of blocks of 16; ti, li and ei are the steps from neighbour to neighbour.
//   ITEM    a work-item does `per_item` rows.                                            Any strides.
//   GROUP   a work-group of GROUP items does `per_item` rows, all items one row.         Any strides.
#include "lib/space.h"
#include "lib/loss.h"
#if defined(VECTOR) || defined(COLUMN)
#include "lib/vector16.h"
#elif !defined(GROUP)
#define group_max(scratch, v) (v)
#endif
#include "lib/smoothing.h"
#ifdef COLUMN
#define ROWS_A_STEP 16
#else
#define ROWS_A_STEP 1
#endif

// A row's loss from its maximum, log(sum(exp(x - maximum))) and (SMOOTHING) sum(weight * (maximum - x)) over its classes.
static inline T row_loss(const global E *x, long xa, long target, I classes, long ignored, T weight, T top, T log_sum, T smooth, T smoothing) {
  if (target == ignored) return (T)0;
  if (!names_class(target, classes)) return (T)NAN;
  const T hard = weight * ((top - LOAD_AT(x, target * xa)) + log_sum);
#ifdef SMOOTHING
  return ((T)1 - smoothing) * hard + smoothing / (T)classes * smooth;
#else
  return hard;
#endif
}

// xs, ts, ls, es: row strides of x, target, (NONE) loss and lse; xa: stride of x along the axis; ws: of weight. partial: NULL where one entry is all.
kernel void cross_entropy(ARG(const E, x), ARG(const long, target), ARG(const E, weight), ARG(E, loss), ARG(T, total_weight), ARG(T, lse),
                          ARG(T, partial), I rows, I length, I inner, I per_item, long8 dims, long8 xs, long8 ts, long8 ls, long8 es, long xa,
                          long ti, long li, long ei, long ws, long ignored, T smoothing) {
  BIND(const E, x);
  BIND(const long, target);
  BIND(const E, weight);
  BIND(E, loss);
  BIND(T, total_weight);
  BIND(T, lse);
  BIND(T, partial);
#ifdef GROUP
  local T scratch[GROUP];
  const I id = (I)get_group_id(0);
#else
  const I id = (I)get_global_id(0);
  if (id > 0 && id > (rows - 1) / per_item) return;  // the global size is rounded up
#endif
  const I last = id * per_item + min(per_item, rows - id * per_item);
  SMOOTH(const T weights_sum = all_weights(weight, ws, length);)
  T losses = 0, weights = 0;
  for (I row = id * per_item; row < last;) {
    T part = 0, part_weight = 0;
    for (int k = 0; k < ROWS_CHUNK && row < last; k += ROWS_A_STEP, ++row) {
#if defined(COLUMN)
      const I blocks = (inner + 15) / 16, outer = row / blocks, first = row % blocks * 16;
      const int n = (int)min((I)16, inner - first);
      const global E *src = x + space_offset(dims, xs, outer) + first;
      V top = (V)((T)-INFINITY), sum = (V)((T)0), smooth = sum;
      for (I i = 0; i < length; ++i) {
        const V v = load_upto(src + i * xa, n, (T)0);
        top = v > top ? v : top;
      }
      for (I i = 0; i < length; ++i) {
        const V v = load_upto(src + i * xa, n, (T)0) - top;
        sum += exp(v);
        SMOOTH(smooth -= class_weight(weight, ws, i) * v;)
      }
      sum = log(sum);
      SMOOTH(smooth += weights_sum * sum;)
      const T *tops = (const T *)&top, *log_sums = (const T *)&sum, *smooths = (const T *)&smooth;
      for (int l = 0; l < n; ++l) {
        const T m = tops[l], log_sum = log_sums[l];
        const long t = target[space_offset(dims, ts, outer) + (first + l) * ti];
        const T w = target_weight(t, length, ignored, weight, ws);
        const T value = row_loss(src + l, xa, t, length, ignored, w, m, log_sum, smooths[l], smoothing);
        lse[space_offset(dims, es, outer) + (first + l) * ei] = m + log_sum;
#ifdef NONE
        STORE_AT(loss, space_offset(dims, ls, outer) + (first + l) * li, value);
#endif
        part += value;
        part_weight += w;
      }
#else
      const global E *src = x + space_offset(dims, xs, row);
      T smooth = 0;
#ifdef VECTOR
      const I whole = length / 16 * 16;
      const int rest = (int)(length - whole);
      const V tail = load_part(src + whole, rest, (T)-INFINITY);
      V top = tail;
      for (I i = 0; i < whole; i += 16) {
        const V v = LOAD16(src + i);
        top = v > top ? v : top;
      }
      const T m = lanes_max(top);
      V sum = rest > 0 ? exp(tail - m) : (V)((T)0);
#ifdef SMOOTHING
      V smooths = rest > 0 ? class_weights(weight, ws, whole, length) * (m - load_part(src + whole, rest, m)) : (V)((T)0);
      for (I i = 0; i < whole; i += 16) {
        const V v = LOAD16(src + i) - m;
        sum += exp(v);
        smooths -= class_weights(weight, ws, i, length) * v;
      }
      smooth = lanes_sum(smooths);
#else
      for (I i = 0; i < whole; i += 16) sum += exp(LOAD16(src + i) - m);
#endif
      const T log_sum = log(lanes_sum(sum));
#else
      T m = (T)-INFINITY, sum = 0;
      for (I i = LOCAL_INDEX; i < length; i += LOCAL_COUNT) {
        const T v = LOAD_AT(src, i * xa);
        m = v > m ? v : m;
      }
      m = group_max(scratch, m);
      for (I i = LOCAL_INDEX; i < length; i += LOCAL_COUNT) {
        const T v = LOAD_AT(src, i * xa) - m;
        sum += exp(v);
        SMOOTH(smooth -= class_weight(weight, ws, i) * v;)
      }
      SMOOTH(smooth = group_sum(scratch, smooth);)
      const T log_sum = log(group_sum(scratch, sum));
#endif
      SMOOTH(smooth += weights_sum * log_sum;)
      const long t = target[space_offset(dims, ts, row)];
      const T w = target_weight(t, length, ignored, weight, ws);
      const T value = row_loss(src, xa, t, length, ignored, w, m, log_sum, smooth, smoothing);
      if (LOCAL_INDEX == 0) {
        lse[space_offset(dims, es, row)] = m + log_sum;
#ifdef NONE
        STORE_AT(loss, space_offset(dims, ls, row), value);
#endif
      }
      part += value;
      part_weight += w;
#endif
    }
    losses += part;
    weights += part_weight;
  }
  if (LOCAL_INDEX != 0) return;
  if (partial_base == 0) {
    store_totals(losses, weights, loss, total_weight);
  } else {
    partial[2 * id] = losses;
    partial[2 * id + 1] = weights;
  }
}
