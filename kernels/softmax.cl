// y = softmax or (LOG) log-softmax of each row of x. A row is the axis, `length` elements apart by xa and ya; row r begins at
// space_offset(dims, .., r). The row's maximum is subtracted first. A NaN, a +inf or nothing but -inf in a row makes all of it NaN: the
// maximum passes over a NaN, but the sum of exponentials does not.
//
// One program holds one variant:
//   VECTOR  a work-item does `per_item` rows with vectors of 16.                 Needs xa == ya == 1.
//   COLUMN  a work-item does 16 neighbouring rows, a lane each.                  Needs rows that come as blocks of `inner` neighbours 1 apart in
//           x and y; dims counts the blocks. Global size: blocks * ceil(inner / 16).
//   ITEM    a work-item does one row.                                            Any strides.
//   GROUP   a work-group of GROUP items does one row. Global size: rows * GROUP.  Any strides.
#include "lib/arg.h"
#include "lib/space.h"
#if defined(VECTOR) || defined(COLUMN)
#include "lib/vector16.h"
#elif defined(GROUP)
#include "lib/group.h"
#endif

kernel void softmax(ARG(const T, x), ARG(T, y), int rows, int length, int inner, int per_item, long8 dims, long8 xs, long8 ys, long xa, long ya) {
  BIND(const T, x);
  BIND(T, y);
  const int id = (int)get_global_id(0);

#if defined(VECTOR)
  const int last = id * per_item + min(per_item, rows - id * per_item);
  const int whole = length / 16 * 16, rest = length - whole;
  for (int row = id * per_item; row < last; ++row) {
    const global T *src = x + space_offset(dims, xs, row);
    global T *dst = y + space_offset(dims, ys, row);
    const V tail = load_part(src + whole, rest, (T)-INFINITY);
    V top = tail;
    for (int i = 0; i < whole; i += 16) {
      const V v = vload16(0, src + i);
      top = v > top ? v : top;
    }
    const T m = lanes_max(top);
    V total = rest > 0 ? exp(tail - m) : (V)(0);
#ifdef LOG
    for (int i = 0; i < whole; i += 16) total += exp(vload16(0, src + i) - m);
    const T log_total = log(lanes_sum(total));
    for (int i = 0; i < whole; i += 16) vstore16(vload16(0, src + i) - m - log_total, 0, dst + i);
    if (rest > 0) store_part(tail - m - log_total, rest, dst + whole);
#else
    const V tail_exp = total;
    for (int i = 0; i < whole; i += 16) {
      const V e = exp(vload16(0, src + i) - m);
      total += e;
      vstore16(e, 0, dst + i);
    }
    const T scale = (T)1 / lanes_sum(total);
    for (int i = 0; i < whole; i += 16) vstore16(vload16(0, dst + i) * scale, 0, dst + i);
    if (rest > 0) store_part(tail_exp * scale, rest, dst + whole);
#endif
  }

#elif defined(COLUMN)
  const int blocks = (inner + 15) / 16;
  const int outer = id / blocks, first = id % blocks * 16, n = min(16, inner - first);
  if (id >= rows) return;  // rows: number of blocks of 16
  const global T *src = x + space_offset(dims, xs, outer) + first;
  global T *dst = y + space_offset(dims, ys, outer) + first;
#define LOAD(p) (n == 16 ? vload16(0, p) : load_part(p, n, (T)0))
#define STORE(v, p) \
  if (n == 16)      \
    vstore16(v, 0, p); \
  else              \
    store_part(v, n, p);
  V m = (V)((T)-INFINITY), total = (V)((T)0);
  for (int i = 0; i < length; ++i) {
    const V v = LOAD(src + i * xa);
    m = v > m ? v : m;
  }
#ifdef LOG
  for (int i = 0; i < length; ++i) total += exp(LOAD(src + i * xa) - m);
  total = log(total);
  for (int i = 0; i < length; ++i) {
    const V v = LOAD(src + i * xa) - m - total;
    STORE(v, dst + i * ya)
  }
#else
  for (int i = 0; i < length; ++i) {
    const V e = exp(LOAD(src + i * xa) - m);
    total += e;
    STORE(e, dst + i * ya)
  }
  total = (T)1 / total;
  for (int i = 0; i < length; ++i) {
    const V v = LOAD(dst + i * ya) * total;
    STORE(v, dst + i * ya)
  }
#endif

#else
#ifdef GROUP
  local T scratch[GROUP];
  const int row = (int)get_group_id(0), start = (int)get_local_id(0), step = GROUP;
#else
  const int row = id, start = 0, step = 1;
  if (row >= rows) return;
#define group_max(scratch, v) (v)
#define group_sum(scratch, v) (v)
#endif
  const global T *src = x + space_offset(dims, xs, row);
  global T *dst = y + space_offset(dims, ys, row);
  T m = (T)-INFINITY, total = 0;
  for (int i = start; i < length; i += step) {
    const T v = src[i * xa];
    m = v > m ? v : m;
  }
  m = group_max(scratch, m);
  for (int i = start; i < length; i += step) total += exp(src[i * xa] - m);
  total = group_sum(scratch, total);
#ifdef LOG
  const T log_total = log(total);
  for (int i = start; i < length; i += step) dst[i * ya] = src[i * xa] - m - log_total;
#else
  const T scale = (T)1 / total;
  for (int i = start; i < length; i += step) dst[i * ya] = exp(src[i * xa] - m) * scale;
#endif
#endif
}
