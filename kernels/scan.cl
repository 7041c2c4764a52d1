// Running totals of each row. A row is the axis: `length` elements, xa, ya and ia apart in x, y and index; row r begins at space_offset(dims, .., r).
// index (EXTREME alone) may be NULL. Work goes in steps 0 ... length-1, from the last position to the first with `reverse`.
//
//   scan         a work-item does one chunk of `chunk` steps of a row; with `chunks` > 1 it begins with what carry[row][chunk] says.  Global size: rows * chunks.
//   scan_total   the total of a chunk into carry.                                                                                    Global size: rows * chunks.
//   scan_carry   carry[row][c] becomes what the chunks before c make.                                                                Global size: rows.
//   scan_column  a work-item does 16 neighbouring rows at once. Needs rows that come as blocks of `inner` neighbours 1 apart in x, y and index; dims counts
//                the blocks.                                                                                                         Global size: blocks * ceil(inner / 16).
#include "lib/arg.h"
#include "lib/scan.h"
#include "lib/space.h"
#include "lib/storage.h"
#if defined(ADD_UP) && !defined(UNSIGNED)
#include "lib/scan_vector.h"
#define VECTORS
#endif

kernel void scan(ARG(const E, x), ARG(E, y), ARG(long, index), ARG(const State, carry), int with_index, int kind, int reverse, int exclusive, I rows, I length,
                 I chunk, I chunks, long8 dims, long8 xs, long8 ys, long8 is, long xa, long ya, long ia) {
  BIND(const E, x);
  BIND(E, y);
  BIND(long, index);
  BIND(const State, carry);
  const I id = (I)get_global_id(0), row = id / chunks, first = (id - row * chunks) * chunk;
  if (row >= rows) return;
  const I last = length - first < chunk ? length : first + chunk;
  const global E *src = x + space_offset(dims, xs, row);
  global E *dst = y + space_offset(dims, ys, row);
  State s = scan_identity(kind);
  if (chunks > 1) s = carry[id];
#ifdef EXTREME
  global long *at = index + (with_index ? space_offset(dims, is, row) : 0);
#endif
  for (I i = first; i < last; ++i) {
    const long j = reverse ? length - 1 - i : i;
    const T v = LOAD_AT(src, j * xa);
    if (exclusive) STORE_AT(dst, j * ya, scan_value(s));
    scan_step(&s, kind, v, j);
    if (!exclusive) STORE_AT(dst, j * ya, scan_value(s));
#ifdef EXTREME
    if (with_index) at[j * ia] = s.at;
#endif
  }
}

kernel void scan_total(ARG(const E, x), ARG(State, carry), int kind, int reverse, I rows, I length, I chunk, I chunks, long8 dims, long8 xs, long xa) {
  BIND(const E, x);
  BIND(State, carry);
  const I id = (I)get_global_id(0), row = id / chunks, first = (id - row * chunks) * chunk;
  if (row >= rows) return;
  const I last = length - first < chunk ? length : first + chunk;
  const global E *src = x + space_offset(dims, xs, row);
  State s = scan_identity(kind);
  for (I i = first; i < last; ++i) {
    const long j = reverse ? length - 1 - i : i;
    const T v = LOAD_AT(src, j * xa);
    scan_step(&s, kind, v, j);
  }
  carry[id] = s;
}

kernel void scan_carry(ARG(State, carry), int kind, I rows, I chunks) {
  BIND(State, carry);
  const I row = (I)get_global_id(0);
  if (row >= rows) return;
  carry += (long)row * chunks;
  State s = scan_identity(kind);
  for (I c = 0; c < chunks; ++c) {
    const State part = carry[c];
    carry[c] = s;
    scan_join(&s, kind, part);
  }
}

kernel void scan_column(ARG(const E, x), ARG(E, y), ARG(long, index), int with_index, int kind, int reverse, int exclusive, I rows, I length, I inner, long8 dims,
                        long8 xs, long8 ys, long8 is, long xa, long ya, long ia) {
  BIND(const E, x);
  BIND(E, y);
  BIND(long, index);
  const I id = (I)get_global_id(0), blocks = (inner + 15) / 16, outer = id / blocks, first = (id - outer * blocks) * 16;
  if (id >= rows) return;  // rows: number of blocks of 16
  const int lanes = inner - first < 16 ? (int)(inner - first) : 16;
  const global E *src = x + space_offset(dims, xs, outer) + first;
  global E *dst = y + space_offset(dims, ys, outer) + first;
#ifdef EXTREME
  global long *at = index + (with_index ? space_offset(dims, is, outer) + first : 0);
#endif
#ifdef VECTORS
  VectorState s;
  s.value = (V)(kind == SCAN_PROD ? (T)1 : (T)0);
  s.lost = (V)((T)0);
  for (I i = 0; i < length; ++i) {
    const long j = reverse ? length - 1 - i : i;
    const V v = load_upto(src + j * xa, lanes, (T)0);
    if (exclusive) store_upto(vector_value(s), lanes, dst + j * ya);
    vector_step(&s, kind, v);
    if (!exclusive) store_upto(vector_value(s), lanes, dst + j * ya);
  }
#else
  State s[16];
  for (int l = 0; l < 16; ++l) scan_clear(&s[l], kind);
  for (I i = 0; i < length; ++i) {
    const long j = reverse ? length - 1 - i : i;
    for (int l = 0; l < lanes; ++l) {
      const T v = LOAD_AT(src, j * xa + l);
      if (exclusive) STORE_AT(dst, j * ya + l, scan_value(s[l]));
      scan_step(&s[l], kind, v, j);
      if (!exclusive) STORE_AT(dst, j * ya + l, scan_value(s[l]));
#ifdef EXTREME
      if (with_index) at[j * ia + l] = s[l].at;
#endif
    }
  }
#endif
}
