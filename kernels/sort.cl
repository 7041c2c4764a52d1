// The steps of a sort around those of kernels/radix.cl. Rows are the axis: `length` elements, xa apart; row r begins at space_offset(dims, xs, r).
//
//   sort_keys    keys[row][i] = the key of x[row][i].                                                                     Global size: rows * length.
//   sort_finish  y[row][i] = x[row][p] and index[row][i] = p, p = order[row][i], for the first k of each row. y or index may be absent; elements are moved as
//                bits of type COPY.                                                                                      Global size: rows * k.
//   top_k_select y and index likewise, in one pass over x (SELECT): a work-item holds the first k of what it has seen of a row, in order, and passes by blocks of
//                BLOCK elements of which none comes before the last of these. first, places: k keys and BLOCK further ones; k positions.  Global size: rows.
#include "lib/arg.h"
#include "lib/space.h"

#if defined(SELECT) || !defined(COPY)
#include "lib/storage.h"
#include "lib/key.h"
#endif

#ifdef SELECT
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void top_k_select(ARG(const E, x), ARG(COPY, y), ARG(long, index), int with_y, int with_index,
                                                                        I length, int k, long8 dims, long8 xs, long8 ys, long8 is, long xa, long ya, long ia,
                                                                        local K *first, local I *places) {
  BIND(const E, x);
  BIND(COPY, y);
  BIND(long, index);
  const I row = (I)get_global_id(0);
  x += space_offset(dims, xs, row);
  y += space_offset(dims, ys, row);
  index += space_offset(dims, is, row);
  local K *block = first + k;
  int held = 0;
  for (I begin = 0; begin < length; begin += BLOCK) {
    const int count = (int)min((I)BLOCK, length - begin);
    K least = ~(K)0;
    // Two loops, for the sake of vectors.
#define FILL_BLOCK(at)              \
  for (int l = 0; l < count; ++l) { \
    const T v = LOAD_AT(x, at);     \
    block[l] = key_of(v);           \
    least = min(least, block[l]);   \
  }
    if (xa == 1) {
      FILL_BLOCK(begin + l)
    } else {
      FILL_BLOCK((begin + l) * xa)
    }
    if (held == k && least >= first[k - 1]) continue;
    for (int l = 0; l < count; ++l) {
      const K key = block[l];
      if (held == k && key >= first[k - 1]) continue;
      // Behind its equals, which came before.
      int at = held < k ? held++ : k - 1;
      for (; at >= 8 && first[at - 8] > key; at -= 8) {
        vstore8(vload8(0, first + at - 8), 0, first + at - 7);
        vstore8(vload8(0, places + at - 8), 0, places + at - 7);
      }
      for (; at > 0 && first[at - 1] > key; --at) first[at] = first[at - 1], places[at] = places[at - 1];
      first[at] = key, places[at] = begin + l;
    }
  }
  const global COPY *from = (const global COPY *)x;
  for (int i = 0; i < k; ++i) {
    if (with_y) y[i * ya] = from[places[i] * xa];
    if (with_index) index[i * ia] = places[i];
  }
}

#elif defined(COPY)
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
