// Running sums and products of floats along a contiguous axis, as scan.cl has them. A work-item does 16 rows, 16 elements of each at a time: transposed, so
// that a vector holds an element of every row, added up, and transposed back. The results have the bits of scan.cl's.
#include "lib/arg.h"
#include "lib/lanes.h"
#include "lib/scan.h"
#include "lib/scan_vector.h"
#include "lib/space.h"

// Rows to columns. Row and lane are eight bits that each round turns by one: lanes of even and of odd number part, and rows of even and of odd number become
// halves of one.
static inline void transpose(V *t) {
  _Pragma("unroll")
  for (int round = 0; round < 4; ++round) {
    V next[16];
    _Pragma("unroll")
    for (int u = 0; u < 8; ++u) {
      next[u] = ONC_EVEN(V, 16, t[2 * u], t[2 * u + 1]);
      next[u + 8] = ONC_ODD(V, 16, t[2 * u], t[2 * u + 1]);
    }
    _Pragma("unroll")
    for (int u = 0; u < 16; ++u) t[u] = next[u];
  }
}

// Rows as in scan.cl. Global size: ceil(rows / 16).
kernel void scan_tile(ARG(const E, x), ARG(E, y), int kind, int reverse, int exclusive, I rows, I length, long8 dims, long8 xs, long8 ys) {
  BIND(const E, x);
  BIND(E, y);
  const I first = (I)get_global_id(0) * 16;
  const int n = (int)min((I)16, rows - first);
  if (n <= 0) return;
  long from[16], to[16];
  for (int u = 0; u < n; ++u) {
    from[u] = space_offset(dims, xs, first + u);
    to[u] = space_offset(dims, ys, first + u);
  }
  V t[16];
  for (int u = 0; u < 16; ++u) t[u] = (V)((T)0);
  VectorState s;
  s.value = (V)(kind == SCAN_PROD ? (T)1 : (T)0);
  s.lost = (V)((T)0);
  for (I i = 0; i < length; i += 16) {
    const int steps = (int)min((I)16, length - i);
    const I begin = reverse ? length - i - steps : i;
    for (int u = 0; u < n; ++u) t[u] = load_upto(x + from[u] + begin, steps, (T)0);
    transpose(t);
    for (int step = 0; step < steps; ++step) {
      const int at = reverse ? steps - 1 - step : step;
      const V v = t[at];
      if (exclusive) t[at] = vector_value(s);
      vector_step(&s, kind, v);
      if (!exclusive) t[at] = vector_value(s);
    }
    transpose(t);
    for (int u = 0; u < n; ++u) store_upto(t[u], steps, y + to[u] + begin);
  }
}
