// Running sums and products of floats in 16 rows at once, a lane each: the arithmetic of lib/scan.h (ADD_UP), element by element.
#include "lib/vector16.h"

typedef struct {
  V value, lost;
} VectorState;

static inline void vector_step(VectorState *s, int kind, V v) {
  if (kind == SCAN_PROD) {
    s->value *= v;
    return;
  }
#ifdef COMPENSATED
  const V sum = s->value + v, part = sum - s->value;
  s->lost += (s->value - (sum - part)) + (v - part);
  s->value = sum;
#else
  s->value += v;
#endif
}

static inline V vector_value(VectorState s) {
#ifdef COMPENSATED
  const V sum = s.value + s.lost;
  return s.value - s.value == (V)((T)0) ? sum : s.value;
#else
  return s.value;
#endif
}
