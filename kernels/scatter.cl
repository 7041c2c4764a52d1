// y[..., index[i], ...] is combined with src[i], in the order of i. y holds self already (COPY puts it there). A work-item alone owns what it writes, so
// that the order is fixed and nothing is atomic: of one row of the index it owns the positions of one of `ranges` parts of the axis and one of `blocks` parts of
// the `inner` trailing elements, and goes through the whole list of n indices for them.
//   rows of the index    dims; row r begins at space_offset(dims, ys | is | ss, r) in y, index and src
//   the axis             length positions in y, n in index and src, ya, ia and sa apart
//   trailing elements    1 apart in y and src; the index is the same for all of them
// An index outside 0 ... length-1 touches nothing. Global size: rows * ranges * blocks.
// TOTALS: halves gather in float32, in total[row][position][inner]. counts[row][block][position] is used by MEAN alone.
// LOWEST and HIGHEST are the least and greatest values of the dtype; BOOLEAN says that any other value than 0 is stored as 1.
#include "lib/arg.h"
#include "lib/space.h"

#if defined(COPY)
// y = self, or 0 where self is NULL: `inner` elements a row, ya and xa apart; a work-item does `part` of them. Global size: rows * ceil(inner / part).
kernel void scatter_copy(ARG(const COPY, x), ARG(COPY, y), int empty, I rows, I inner, I part, long8 dims, long8 xs, long8 ys, long xa, long ya) {
  BIND(const COPY, x);
  BIND(COPY, y);
  const I parts = (inner + part - 1) / part, row = (I)(get_global_id(0) / parts), first = ((I)get_global_id(0) - row * parts) * part;
  if (row >= rows) return;
  const I last = inner - first < part ? inner : first + part;
  global COPY *dst = y + space_offset(dims, ys, row);
  if (empty) {
    for (I i = first; i < last; ++i) dst[i * ya] = 0;
  } else {
    const global COPY *src = x + space_offset(dims, xs, row);
    for (I i = first; i < last; ++i) dst[i * ya] = src[i * xa];
  }
}

#else
#include "lib/scatter.h"
#include "lib/storage.h"

// The place of trailing element t at position p among the accumulators of the work-item's row.
#ifdef TOTALS
#define PLACE(p, t) ((long)(p) * inner + (t))
#define GET(place) acc[place]
#define PUT(place, v) (acc[place] = (v))
#else
#define PLACE(p, t) ((long)(p) * ya + (t))
#define GET(place) LOAD_AT(acc, place)
#define PUT(place, v) STORE_AT(acc, place, STORED(v))
#endif

kernel void scatter(ARG(E, y), ARG(const long, index), ARG(const E, src), ARG(T, total), ARG(int, counts), int reduce, int include_self, I rows, I length, I n,
                    I inner, I ranges, I blocks, long8 dims, long8 ys, long8 is, long8 ss, long ya, long ia, long sa) {
  BIND(E, y);
  BIND(const long, index);
  BIND(const E, src);
  BIND(T, total);
  BIND(int, counts);
  const I id = (I)get_global_id(0), unit = id / ranges, range = id - unit * ranges, row = unit / blocks, block = unit - row * blocks;
  if (row >= rows) return;
  const I first = (I)((long)length * range / ranges), end = (I)((long)length * (range + 1) / ranges);
  const I t0 = (I)((long)inner * block / blocks), t1 = (I)((long)inner * (block + 1) / blocks);
  y += space_offset(dims, ys, row);
  index += space_offset(dims, is, row);
  src += space_offset(dims, ss, row);

  if (reduce == SCATTER_ASSIGN) {
    for (I i = 0; i < n; ++i) {
      const long p = index[i * ia];
      if (p < first || p >= end) continue;
      global E *dst = y + p * ya;
      const global E *from = src + i * sa;
      for (I t = t0; t < t1; ++t) STORE_AT(dst, t, LOAD_AT(from, t));
    }
    return;
  }
#ifdef TOTALS
  global T *acc = total + (long)row * length * inner;
  for (I p = first; p < end; ++p)
    for (I t = t0; t < t1; ++t) acc[PLACE(p, t)] = LOAD_AT(y, (long)p * ya + t);
#else
  global E *acc = y;
#endif
  global int *count = counts + (long)(row * blocks + block) * length;
  if (reduce == SCATTER_MEAN)
    for (I p = first; p < end; ++p) count[p] = include_self;
  if (!include_self) {
    const T start = scatter_identity(reduce);
    for (I i = 0; i < n; ++i) {
      const long p = index[i * ia];
      if (p < first || p >= end) continue;
      for (I t = t0; t < t1; ++t) PUT(PLACE(p, t), start);
    }
  }
  if (reduce == SCATTER_SUM) {
    for (I i = 0; i < n; ++i) {
      const long p = index[i * ia];
      if (p < first || p >= end) continue;
      const global E *from = src + i * sa;
      for (I t = t0; t < t1; ++t) PUT(PLACE(p, t), ADD(GET(PLACE(p, t)), LOAD_AT(from, t)));
    }
  } else {
    for (I i = 0; i < n; ++i) {
      const long p = index[i * ia];
      if (p < first || p >= end) continue;
      const global E *from = src + i * sa;
      for (I t = t0; t < t1; ++t) PUT(PLACE(p, t), scatter_combine(reduce, GET(PLACE(p, t)), LOAD_AT(from, t)));
      if (reduce == SCATTER_MEAN) ++count[p];
    }
  }
  if (reduce == SCATTER_MEAN) {
    for (I p = first; p < end; ++p) {
      if (count[p] < 2) continue;
      for (I t = t0; t < t1; ++t) PUT(PLACE(p, t), scatter_divide(GET(PLACE(p, t)), count[p]));
    }
  }
#ifdef TOTALS
  for (I p = first; p < end; ++p)
    for (I t = t0; t < t1; ++t) STORE_AT(y, (long)p * ya + t, acc[PLACE(p, t)]);
#endif
}
#endif
