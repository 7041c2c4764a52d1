// Log-softmax along the axis and negative log likelihood in one: lse = log(sum(exp(x))) of each row, its maximum taken out first, and loss =
// weight[target] * (lse - x[target]) (NONE: an output each), summed, or (MEAN) divided by the total weight. Rows are as in softmax.cl; sums, targets
// and `finish` as in lib/loss.h.
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

// A row's loss from its maximum and log(sum(exp(x - maximum))).
static inline T row_loss(const global T *x, long xa, long target, int classes, long ignored, T weight, T top, T log_sum) {
  if (target == ignored) return (T)0;
  return names_class(target, classes) ? weight * ((top - x[target * xa]) + log_sum) : (T)NAN;
}

// xs, ts, ls, es: row strides of x, target, (NONE) loss and lse; xa: stride of x along the axis; ws: of weight. partial: NULL where one entry is all.
kernel void cross_entropy(ARG(const T, x), ARG(const long, target), ARG(const T, weight), ARG(T, loss), ARG(T, total_weight), ARG(T, lse),
                          ARG(T, partial), int rows, int length, int inner, int per_item, long8 dims, long8 xs, long8 ts, long8 ls, long8 es, long xa,
                          long ti, long li, long ei, long ws, long ignored) {
  BIND(const T, x);
  BIND(const long, target);
  BIND(const T, weight);
  BIND(T, loss);
  BIND(T, total_weight);
  BIND(T, lse);
  BIND(T, partial);
#ifdef GROUP
  local T scratch[GROUP];
  const int id = (int)get_group_id(0);
#else
  const int id = (int)get_global_id(0);
  if (id > 0 && id > (rows - 1) / per_item) return;  // the global size is rounded up
#endif
  const int last = id * per_item + min(per_item, rows - id * per_item);
  T losses = 0, weights = 0;
  for (int row = id * per_item; row < last;) {
    T part = 0, part_weight = 0;
    for (int k = 0; k < ROWS_CHUNK && row < last; ++k, ++row) {
#if defined(COLUMN)
      const int blocks = (inner + 15) / 16, outer = row / blocks, first = row % blocks * 16, n = inner - first;
      const global T *src = x + space_offset(dims, xs, outer) + first;
      V top = (V)((T)-INFINITY), sum = (V)((T)0);
      for (int i = 0; i < length; ++i) {
        const V v = load_upto(src + i * xa, n, (T)0);
        top = v > top ? v : top;
      }
      for (int i = 0; i < length; ++i) sum += exp(load_upto(src + i * xa, n, (T)0) - top);
      sum = log(sum);
      const T *tops = (const T *)&top, *log_sums = (const T *)&sum;
      for (int l = 0; l < min(16, n); ++l) {
        const T m = tops[l], log_sum = log_sums[l];
        const long t = target[space_offset(dims, ts, outer) + (first + l) * ti];
        const T w = target_weight(t, length, ignored, weight, ws);
        const T value = row_loss(src + l, xa, t, length, ignored, w, m, log_sum);
        lse[space_offset(dims, es, outer) + (first + l) * ei] = m + log_sum;
#ifdef NONE
        loss[space_offset(dims, ls, outer) + (first + l) * li] = value;
#endif
        part += value;
        part_weight += w;
      }
#else
      const global T *src = x + space_offset(dims, xs, row);
#ifdef VECTOR
      const int whole = length / 16 * 16, rest = length - whole;
      const V tail = load_part(src + whole, rest, (T)-INFINITY);
      V top = tail;
      for (int i = 0; i < whole; i += 16) {
        const V v = vload16(0, src + i);
        top = v > top ? v : top;
      }
      const T m = lanes_max(top);
      V sum = rest > 0 ? exp(tail - m) : (V)((T)0);
      for (int i = 0; i < whole; i += 16) sum += exp(vload16(0, src + i) - m);
      const T log_sum = log(lanes_sum(sum));
#else
      T m = (T)-INFINITY, sum = 0;
      for (int i = LOCAL_INDEX; i < length; i += LOCAL_COUNT) m = src[i * xa] > m ? src[i * xa] : m;
      m = group_max(scratch, m);
      for (int i = LOCAL_INDEX; i < length; i += LOCAL_COUNT) sum += exp(src[i * xa] - m);
      const T log_sum = log(group_sum(scratch, sum));
#endif
      const long t = target[space_offset(dims, ts, row)];
      const T w = target_weight(t, length, ignored, weight, ws);
      const T value = row_loss(src, xa, t, length, ignored, w, m, log_sum);
      if (LOCAL_INDEX == 0) {
        lse[space_offset(dims, es, row)] = m + log_sum;
#ifdef NONE
        loss[space_offset(dims, ls, row)] = value;
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
