// grad_in of softmax, y * (g - sum(g * y)), or (LOG) of log-softmax, g - exp(y) * sum(g), for each row; y is the forward's output. Rows, the
// arguments and the variants VECTOR, COLUMN, ITEM and GROUP with their preconditions are those of softmax.cl, for the three tensors g, y and d.
#include "lib/arg.h"
#include "lib/space.h"
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

kernel void softmax_grad(ARG(const T, g), ARG(const T, y), ARG(T, d), int rows, int length, int inner, int per_item, long8 dims, long8 gs, long8 ys,
                         long8 ds, long ga, long ya, long da) {
  BIND(const T, g);
  BIND(const T, y);
  BIND(T, d);
  const int id = (int)get_global_id(0);

#if defined(VECTOR)
  const int last = id * per_item + min(per_item, rows - id * per_item);
  const int whole = length / 16 * 16, rest = length - whole;
  for (int row = id * per_item; row < last; ++row) {
    const global T *gr = g + space_offset(dims, gs, row);
    const global T *yr = y + space_offset(dims, ys, row);
    global T *dr = d + space_offset(dims, ds, row);
    const V g_tail = load_part(gr + whole, rest, (T)0), y_tail = load_part(yr + whole, rest, (T)0);
    V sum = TERM(g_tail, y_tail);
    for (int i = 0; i < whole; i += 16) sum += TERM(vload16(0, gr + i), vload16(0, yr + i));
    const T total = lanes_sum(sum);
    for (int i = 0; i < whole; i += 16) {
      const V gv = vload16(0, gr + i), yv = vload16(0, yr + i);
      vstore16(RESULT(gv, yv, total), 0, dr + i);
    }
    if (rest > 0) store_part(RESULT(g_tail, y_tail, total), rest, dr + whole);
  }

#elif defined(COLUMN)
  const int blocks = (inner + 15) / 16;
  const int outer = id / blocks, first = id % blocks * 16, n = min(16, inner - first);
  if (id >= rows) return;  // rows: number of blocks of 16
  const global T *gr = g + space_offset(dims, gs, outer) + first;
  const global T *yr = y + space_offset(dims, ys, outer) + first;
  global T *dr = d + space_offset(dims, ds, outer) + first;
#define LOAD(p) (n == 16 ? vload16(0, p) : load_part(p, n, (T)0))
  V total = (V)((T)0);
  for (int i = 0; i < length; ++i) total += TERM(LOAD(gr + i * ga), LOAD(yr + i * ya));
  for (int i = 0; i < length; ++i) {
    const V gv = LOAD(gr + i * ga), yv = LOAD(yr + i * ya), v = RESULT(gv, yv, total);
    if (n == 16)
      vstore16(v, 0, dr + i * da);
    else
      store_part(v, n, dr + i * da);
  }

#else
#ifdef GROUP
  local T scratch[GROUP];
  const int row = (int)get_group_id(0), start = (int)get_local_id(0), step = GROUP;
#else
  const int row = id, start = 0, step = 1;
  if (row >= rows) return;
#define group_sum(scratch, v) (v)
#endif
  const global T *gr = g + space_offset(dims, gs, row);
  const global T *yr = y + space_offset(dims, ys, row);
  global T *dr = d + space_offset(dims, ds, row);
  T total = 0;
  for (int i = start; i < length; i += step) total += TERM(gr[i * ga], yr[i * ya]);
  total = group_sum(scratch, total);
  for (int i = start; i < length; i += step) dr[i * da] = RESULT(gr[i * ga], yr[i * ya], total);
#endif
}
