// grad_in of softmax, y * (g - sum(g * y)), or (LOG) of log-softmax, g - exp(y) * sum(g), for each row; y is the forward's output. Rows, the
// arguments and the variants VECTOR, COLUMN, ITEM and GROUP with their preconditions are those of softmax.cl, for the three tensors g, y and d.
#include "lib/arg.h"
#include "lib/space.h"
#include "lib/storage.h"
#if defined(VECTOR) || defined(COLUMN)
#include "lib/vector16.h"
#elif defined(GROUP)
#include "lib/group.h"
#endif

#ifdef LOG
#define TERM(g, y) (g)
#define RESULT(g, y, total) ((g)-exp(y) * (total))
#else
#define TERM(g, y) ((g) * (y))
#define RESULT(g, y, total) ((y) * ((g) - (total)))
#endif

kernel void softmax_grad(ARG(const E, g), ARG(const E, y), ARG(E, d), I rows, I length, I inner, I per_item, long8 dims, long8 gs, long8 ys,
                         long8 ds, long ga, long ya, long da) {
  BIND(const E, g);
  BIND(const E, y);
  BIND(E, d);
  const I id = (I)get_global_id(0);

#if defined(VECTOR)
  const I last = id * per_item + min(per_item, rows - id * per_item), whole = length / 16 * 16;
  const int rest = (int)(length - whole);
  for (I row = id * per_item; row < last; ++row) {
    const global E *gr = g + space_offset(dims, gs, row);
    const global E *yr = y + space_offset(dims, ys, row);
    global E *dr = d + space_offset(dims, ds, row);
    const V g_tail = load_part(gr + whole, rest, (T)0), y_tail = load_part(yr + whole, rest, (T)0);
    V sum = TERM(g_tail, y_tail);
    for (I i = 0; i < whole; i += 16) sum += TERM(LOAD16(gr + i), LOAD16(yr + i));
    const T total = lanes_sum(sum);
    for (I i = 0; i < whole; i += 16) {
      const V gv = LOAD16(gr + i), yv = LOAD16(yr + i);
      STORE16(dr + i, RESULT(gv, yv, total));
    }
    if (rest > 0) store_part(RESULT(g_tail, y_tail, total), rest, dr + whole);
  }

#elif defined(COLUMN)
  const I blocks = (inner + 15) / 16, outer = id / blocks, first = id % blocks * 16;
  const int n = (int)min((I)16, inner - first);
  if (id >= rows) return;  // rows: number of blocks of 16
  const global E *gr = g + space_offset(dims, gs, outer) + first;
  const global E *yr = y + space_offset(dims, ys, outer) + first;
  global E *dr = d + space_offset(dims, ds, outer) + first;
#define LOAD(p) (n == 16 ? LOAD16(p) : load_part(p, n, (T)0))
  V total = (V)((T)0);
  for (I i = 0; i < length; ++i) total += TERM(LOAD(gr + i * ga), LOAD(yr + i * ya));
  for (I i = 0; i < length; ++i) {
    const V gv = LOAD(gr + i * ga), yv = LOAD(yr + i * ya), v = RESULT(gv, yv, total);
    if (n == 16)
      STORE16(dr + i * da, v);
    else
      store_part(v, n, dr + i * da);
  }

#else
#ifdef GROUP
  local T scratch[GROUP];
  const I row = (I)get_group_id(0);
  const int start = (int)get_local_id(0), step = GROUP;
#else
  const I row = id;
  const int start = 0, step = 1;
  if (row >= rows) return;
#define group_sum(scratch, v) (v)
#endif
  const global E *gr = g + space_offset(dims, gs, row);
  const global E *yr = y + space_offset(dims, ys, row);
  global E *dr = d + space_offset(dims, ds, row);
  T total = 0;
  for (I i = start; i < length; i += step) total += TERM(LOAD_AT(gr, i * ga), LOAD_AT(yr, i * ya));
  total = group_sum(scratch, total);
  for (I i = start; i < length; i += step) STORE_AT(dr, i * da, RESULT(LOAD_AT(gr, i * ga), LOAD_AT(yr, i * ya), total));
#endif
}
