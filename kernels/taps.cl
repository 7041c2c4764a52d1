// y[n, c, o0, o1, o2] = the sum of w0 w1 w2 x[n, c, i0, i1, i2] over the terms of o0, o1 and o2. The table holds, for each of the three spatial dims from
// tables.s0, s1, s2 on, where an output's terms begin and (the next entry) end; a term's position is table[tables.s3 + term], its weight weight[term]. Terms
// are added in their order, the last dim's innermost. sizes: those of y's spatial dims.
//
// One program holds one variant; both take any strides (long8: n, c, the three dims) and add in the same order:
//   ROWS    a work-item does `per_item` rows of y. Work: rows.
//   DIRECT  a work-item does one element of y. Work: elements.
#include "lib/arg.h"
#include "lib/index.h"
#include "lib/storage.h"

// The sum for one output of the last dim; the terms of the other two are [e0, e1).
static inline T sum_terms(const global E *x, const global int *at, const global T *weight, int2 e0, int2 e1, int2 e2, long8 xs) {
  T sum = 0;
  for (int i = e0.x; i < e0.y; ++i) {
    for (int j = e1.x; j < e1.y; ++j) {
      const global E *row = x + at[i] * xs.s2 + at[j] * xs.s3;
      T part = 0;
      for (int k = e2.x; k < e2.y; ++k) part += weight[k] * LOAD_AT(row, at[k] * xs.s4);
      sum += weight[i] * weight[j] * part;
    }
  }
  return sum;
}

kernel void taps(ARG(const E, x), ARG(E, y), const global int *table, const global T *weight, int4 tables, int4 sizes, int channels, I work, I per_item,
                 long8 xs, long8 ys) {
  BIND(const E, x);
  BIND(E, y);
  const global int *at = table + tables.s3;
  const I id = (I)get_global_id(0);

#ifdef ROWS
  const I last = id * per_item + min(per_item, work - id * per_item);
  for (I row = id * per_item; row < last; ++row) {
    const int o1 = (int)(row % sizes.s1), o0 = (int)(row / sizes.s1 % sizes.s0);
    const I plane = row / sizes.s1 / sizes.s0, c = plane % channels, n = plane / channels;
    const int2 e0 = vload2(0, table + tables.s0 + o0), e1 = vload2(0, table + tables.s1 + o1);
    const global E *src = x + n * xs.s0 + c * xs.s1;
    global E *dst = y + n * ys.s0 + c * ys.s1 + o0 * ys.s2 + o1 * ys.s3;
    const global int *begin = table + tables.s2;
    if (e0.y - e0.x == 1 && e1.y - e1.x == 1) {  // one row of x
      const global E *only = src + at[e0.x] * xs.s2 + at[e1.x] * xs.s3;
      const T scale = weight[e0.x] * weight[e1.x];
      for (int o2 = 0; o2 < sizes.s2; ++o2) {
        T part = 0;
        for (int k = begin[o2]; k < begin[o2 + 1]; ++k) part += weight[k] * LOAD_AT(only, at[k] * xs.s4);
        STORE_AT(dst, o2 * ys.s4, 0 + scale * part);
      }
    } else {
      for (int o2 = 0; o2 < sizes.s2; ++o2)
        STORE_AT(dst, o2 * ys.s4, sum_terms(src, at, weight, e0, e1, (int2)(begin[o2], begin[o2 + 1]), xs));
    }
  }

#else
  if (id >= work) return;
  const int o2 = (int)(id % sizes.s2), o1 = (int)(id / sizes.s2 % sizes.s1), o0 = (int)(id / sizes.s2 / sizes.s1 % sizes.s0);
  const I plane = id / sizes.s2 / sizes.s1 / sizes.s0, c = plane % channels, n = plane / channels;
  const int2 e0 = vload2(0, table + tables.s0 + o0), e1 = vload2(0, table + tables.s1 + o1), e2 = vload2(0, table + tables.s2 + o2);
  STORE_AT(y, n * ys.s0 + c * ys.s1 + o0 * ys.s2 + o1 * ys.s3 + o2 * ys.s4, sum_terms(x + n * xs.s0 + c * xs.s1, at, weight, e0, e1, e2, xs));
#endif
}
