// The norm of each tensor of a list, in two kernels: partial norms of units of CHUNK elements, then the units of each tensor in order. KIND: 0 the largest
// magnitude, 1 the sum of magnitudes, 2 the root of the sum of squares. T computes, E lies in memory (lib/storage.h).
//
// table is that of lib/list.h, whose rows have ROW words. Work-items (GROUP defined: work-groups, through local memory) take per_item units, from their
// number times item_step on, unit_step apart. No work-item reads beyond a tensor. Sums of a unit are plain, those over units carry what their roundings
// lost.
#include "lib/arg.h"
#include "lib/list.h"
#include "lib/storage.h"

#if KIND == 0
#define TERM(x) fabs(x)
// A NaN wins, and stays.
#define COMBINE(a, x) ((((x) > (a)) | ((x) != (x))) ? (x) : (a))
#else
#if KIND == 1
#define TERM(x) fabs(x)
#else
#define TERM(x) ((x) * (x))
#endif
#define COMBINE(a, x) ((a) + (x))
#endif

#ifdef GROUP
#include "lib/group.h"
ONC_GROUP_TREE(group_combine, COMBINE(a, b))
#else
#include "lib/vector16.h"
static inline T lanes_combine(V v) {
  T a = ((T *)&v)[0];
  for (int l = 1; l < 16; ++l) {
    const T x = ((T *)&v)[l];
    a = COMBINE(a, x);
  }
  return a;
}
#endif

// `before`: units of earlier launches, in part.
kernel void foreach_norm(LIST_SEGMENT_PARAMS, global const long *table, const ulong table_at, ARG(T, part), const long before, const int tensors,
                         const int units, const int per_item, const int item_step, const int unit_step) {
  BIND(T, part);
  table += table_at;
#ifdef GROUP
  local T scratch[GROUP];
  int unit = (int)get_group_id(0) * item_step;
#else
  int unit = (int)get_global_id(0) * item_step;
#endif
  for (int k = 0; k < per_item && unit < units; ++k, unit += unit_step) {
    const int tensor = list_tensor(table, tensors, unit);
    const global long *row = table + tensors + 1 + tensor * ROW;
    const global E *x = (const global E *)LIST_MEMORY(row[1]);
    x += (unit - table[tensor]) * CHUNK;
    const int n = (int)min((long)CHUNK, row[0] - (unit - table[tensor]) * CHUNK);
#ifdef GROUP
    T sum = 0;
    for (int i = (int)get_local_id(0); i < n; i += GROUP) {
      const T value = LOAD_AT(x, i), term = TERM(value);
      sum = COMBINE(sum, term);
    }
    const T whole = group_combine(scratch, sum);
    if (get_local_id(0) == 0) part[before + unit] = whole;
#else
    V sum = 0;
    int i = 0;
    for (; i + 16 <= n; i += 16) {
      const V value = LOAD16(x + i), term = TERM(value);
      sum = COMBINE(sum, term);
    }
    if (i < n) {
      const V value = load_part(x + i, n - i, 0), term = TERM(value);
      sum = COMBINE(sum, term);
    }
    part[before + unit] = lanes_combine(sum);
#endif
  }
}

// One work-item a tensor.
kernel void foreach_norm_finish(global const long *table, const ulong table_at, ARG(const T, part), ARG(T, norms), const long before, const long stride,
                                const int tensors) {
  BIND(const T, part);
  BIND(T, norms);
  table += table_at;
  const int tensor = (int)get_global_id(0);
  if (tensor >= tensors) return;
  T a = 0, lost = 0;
  for (long unit = table[tensor]; unit < table[tensor + 1]; ++unit) {
    const T x = part[before + unit];
#if KIND == 0
    a = COMBINE(a, x);
#else
    // Knuth's exact sum of two.
    const T t = a + x, z = t - a;
    lost += (a - (t - z)) + (x - z);
    a = t;
#endif
  }
  // Infinity minus infinity makes the lost part NaN, while the sum itself is right.
  const T whole = a + lost == a + lost ? a + lost : a;
#if KIND == 2
  norms[tensor * stride] = sqrt(whole);
#else
  norms[tensor * stride] = whole;
#endif
}
