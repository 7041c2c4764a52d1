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
#include "lib/storage.h"
#if defined(VECTOR) || defined(COLUMN)
#include "lib/vector16.h"
#elif defined(GROUP)
#include "lib/group.h"
#endif

// The exponentials wait in y for their sum, unless y's storage would round them.
#if defined(STORAGE_F16) || defined(STORAGE_BF16)
#define KEEP(store)
#define KEPT(load, again) (again)
#else
#define KEEP(store) store
#define KEPT(load, again) (load)
#endif

kernel void softmax(ARG(const E, x), ARG(E, y), I rows, I length, I inner, I per_item, long8 dims, long8 xs, long8 ys, long xa, long ya) {
  BIND(const E, x);
  BIND(E, y);
  const I id = (I)get_global_id(0);

#if defined(VECTOR)
  const I last = id * per_item + min(per_item, rows - id * per_item), whole = length / 16 * 16;
  const int rest = (int)(length - whole);
  for (I row = id * per_item; row < last; ++row) {
    const global E *src = x + space_offset(dims, xs, row);
    global E *dst = y + space_offset(dims, ys, row);
    const V tail = load_part(src + whole, rest, (T)-INFINITY);
    V top = tail;
    for (I i = 0; i < whole; i += 16) {
      const V v = LOAD16(src + i);
      top = v > top ? v : top;
    }
    const T m = lanes_max(top);
    V total = rest > 0 ? exp(tail - m) : (V)(0);
#ifdef LOG
    for (I i = 0; i < whole; i += 16) total += exp(LOAD16(src + i) - m);
    const T log_total = log(lanes_sum(total));
    for (I i = 0; i < whole; i += 16) STORE16(dst + i, LOAD16(src + i) - m - log_total);
    if (rest > 0) store_part(tail - m - log_total, rest, dst + whole);
#else
    const V tail_exp = total;
    for (I i = 0; i < whole; i += 16) {
      const V e = exp(LOAD16(src + i) - m);
      total += e;
      KEEP(STORE16(dst + i, e));
    }
    const T scale = (T)1 / lanes_sum(total);
    for (I i = 0; i < whole; i += 16) STORE16(dst + i, KEPT(LOAD16(dst + i), exp(LOAD16(src + i) - m)) * scale);
    if (rest > 0) store_part(tail_exp * scale, rest, dst + whole);
#endif
  }

#elif defined(COLUMN)
  const I blocks = (inner + 15) / 16, outer = id / blocks, first = id % blocks * 16;
  const int n = (int)min((I)16, inner - first);
  if (id >= rows) return;  // rows: number of blocks of 16
  const global E *src = x + space_offset(dims, xs, outer) + first;
  global E *dst = y + space_offset(dims, ys, outer) + first;
#define LOAD(p) (n == 16 ? LOAD16(p) : load_part(p, n, (T)0))
#define STORE(v, p) \
  if (n == 16)      \
    STORE16(p, v);   \
  else              \
    store_part(v, n, p);
  V m = (V)((T)-INFINITY), total = (V)((T)0);
  for (I i = 0; i < length; ++i) {
    const V v = LOAD(src + i * xa);
    m = v > m ? v : m;
  }
#ifdef LOG
  for (I i = 0; i < length; ++i) total += exp(LOAD(src + i * xa) - m);
  total = log(total);
  for (I i = 0; i < length; ++i) {
    const V v = LOAD(src + i * xa) - m - total;
    STORE(v, dst + i * ya)
  }
#else
  for (I i = 0; i < length; ++i) {
    const V e = exp(LOAD(src + i * xa) - m);
    total += e;
    KEEP(STORE(e, dst + i * ya))
  }
  total = (T)1 / total;
  for (I i = 0; i < length; ++i) {
    const V v = KEPT(LOAD(dst + i * ya), exp(LOAD(src + i * xa) - m)) * total;
    STORE(v, dst + i * ya)
  }
#endif

#else
#ifdef GROUP
  local T scratch[GROUP];
  const I row = (I)get_group_id(0);
  const int start = (int)get_local_id(0), step = GROUP;
#else
  const I row = id;
  const int start = 0, step = 1;
  if (row >= rows) return;
#define group_max(scratch, v) (v)
#define group_sum(scratch, v) (v)
#endif
  const global E *src = x + space_offset(dims, xs, row);
  global E *dst = y + space_offset(dims, ys, row);
  T m = (T)-INFINITY, total = 0;
  for (I i = start; i < length; i += step) {
    const T v = LOAD_AT(src, i * xa);
    m = v > m ? v : m;
  }
  m = group_max(scratch, m);
  for (I i = start; i < length; i += step) total += exp(LOAD_AT(src, i * xa) - m);
  total = group_sum(scratch, total);
#ifdef LOG
  const T log_total = log(total);
  for (I i = start; i < length; i += step) STORE_AT(dst, i * ya, LOAD_AT(src, i * xa) - m - log_total);
#else
  const T scale = (T)1 / total;
  for (I i = start; i < length; i += step) STORE_AT(dst, i * ya, exp(LOAD_AT(src, i * xa) - m) * scale);
#endif
#endif
}
