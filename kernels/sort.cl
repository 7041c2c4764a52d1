// The steps of a sort around those of kernels/radix.cl. Rows are the axis: `length` elements, xa apart; row r begins at space_offset(dims, xs, r).
//
//   sort_keys    keys[row][i] = the key of x[row][i].                                                                     Global size: rows * length.
//   sort_finish  y[row][i] = x[row][p] and index[row][i] = p, p = order[row][i], for the first k of each row. y or index may be absent; elements are moved as
//                bits of type COPY.                                                                                      Global size: rows * k.
#include "lib/arg.h"
#include "lib/space.h"

#ifdef COPY
kernel void sort_finish(ARG(const COPY, x), ARG(const I, order), ARG(COPY, y), ARG(long, index), int with_y, int with_index, I rows, I length, I k, long8 dims,
                        long8 xs, long8 ys, long8 is, long xa, long ya, long ia) {
  BIND(const COPY, x);
  BIND(const I, order);
  BIND(COPY, y);
  BIND(long, index);
  const size_t id = get_global_id(0);
  const I row = (I)(id / k), i = (I)(id - (size_t)row * k);
  if (row >= rows) return;
  const I p = order[(long)row * length + i];
  if (with_y) y[space_offset(dims, ys, row) + i * ya] = x[space_offset(dims, xs, row) + p * xa];
  if (with_index) index[space_offset(dims, is, row) + i * ia] = p;
}

#else
#include "lib/storage.h"
#include "lib/key.h"
kernel void sort_keys(ARG(const E, x), ARG(K, keys), I rows, I length, long8 dims, long8 xs, long xa) {
  BIND(const E, x);
  BIND(K, keys);
  const size_t id = get_global_id(0);
  const I row = (I)(id / length), i = (I)(id - (size_t)row * length);
  if (row >= rows) return;
  const long at = space_offset(dims, xs, row) + i * xa;
  const T v = LOAD_AT(x, at);
  keys[(long)row * length + i] = key_of(v);
}
#endif
