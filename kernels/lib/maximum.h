// The maximum of a box of a volume, for pools whose windows lie anywhere. LOWEST: what a maximum starts from.
#include "lib/pool.h"
#include "lib/storage.h"

// Positions begin … end-1 along d, h and w of the planes at x, none empty. The first of equals; a NaN beats every number and a later NaN an earlier one.
static inline T box_maximum(const global E *x, int8 size, long8 xs, int4 begin, int4 end, I *at) {
  T best = LOWEST;
  *at = -1;
  for (int d = begin.s0; d < end.s0; ++d) {
    for (int h = begin.s1; h < end.s1; ++h) {
      const global E *row = x + d * xs.s2 + h * xs.s3;
      const I flat = ((I)d * IN_H + h) * IN_W;
      for (int w = begin.s2; w < end.s2; ++w) {
        const T v = LOAD_AT(row, w * xs.s4);
        if (v > best || v != v || *at < 0) {
          best = v;
          *at = flat + w;
        }
      }
    }
  }
  return best;
}
