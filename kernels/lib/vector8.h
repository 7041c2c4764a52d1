// Eight values of T at once, for kernels that compute eight neighbouring outputs, from and to storage E (lib/storage.h). M is the integer vector of a
// comparison of V8. Without LOAD8 (integers narrower than T) there is nothing here.
#include "lib/storage.h"
#ifdef LOAD8
#define ONC_JOIN2(a, b) a##b
#define ONC_JOIN(a, b) ONC_JOIN2(a, b)
typedef ONC_JOIN(T, 8) V8;
typedef ONC_JOIN(MASK, 8) M8;  // MASK: int for float and int, long for double and long

// p[0], p[step], … p[7 * step], and nothing else.
static inline V8 load_step(const global E *p, int step) {
  if (step == 1) return LOAD8(p);
  if (step == 2) return (V8)(LOAD8(p).even, LOAD8(p + 7).odd);
  return (V8)(LOAD_AT(p, 0), LOAD_AT(p, step), LOAD_AT(p, 2 * step), LOAD_AT(p, 3 * step), LOAD_AT(p, 4 * step), LOAD_AT(p, 5 * step), LOAD_AT(p, 6 * step),
              LOAD_AT(p, 7 * step));
}
#endif
