// Where values would be inserted into sorted rows: a work-item does one value, by bisection. n elements a row sa apart, m values a row va apart, out oa apart; row r
// begins at space_offset(dims, .., r). sorter (positions that sort each row) is used with_sorter; one outside the row reads 0.
// right: behind equal elements. Comparisons with NaN are false, so that a NaN among the values goes behind all. Global size: rows * m.
#include "lib/arg.h"
#include "lib/space.h"
#include "lib/storage.h"

kernel void search_sorted(ARG(const E, sorted), ARG(const E, values), ARG(const long, sorter), ARG(long, out), int with_sorter, int right, I rows, I n, I m,
                          long8 dims, long8 ss, long8 vs, long8 ts, long8 os, long sa, long va, long ta, long oa) {
  BIND(const E, sorted);
  BIND(const E, values);
  BIND(const long, sorter);
  BIND(long, out);
  const size_t id = get_global_id(0);
  const I row = (I)(id / m), i = (I)(id - (size_t)row * m);
  if (row >= rows) return;
  const long value_at = space_offset(dims, vs, row) + i * va, sorted_at = space_offset(dims, ss, row);
  const long sorter_at = with_sorter ? space_offset(dims, ts, row) : 0;
  const T value = LOAD_AT(values, value_at);
  I low = 0, high = n;
  while (low < high) {
    const I middle = low + (high - low) / 2;
    const long place = with_sorter ? sorter[sorter_at + middle * ta] : middle;
    T there = 0;
    if (place >= 0 && place < n) there = LOAD_AT(sorted, sorted_at + place * sa);
    if (right ? there > value : there >= value)
      high = middle;
    else
      low = middle + 1;
  }
  out[space_offset(dims, os, row) + i * oa] = low;
}
