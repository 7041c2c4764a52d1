// Sixteen values of T at once, for variants whose work-item walks memory with explicit vectors: loads and stores with a tail, lane
// reductions in a fixed order. T is float or double, memory holds E (lib/storage.h). No function reads or writes past the n elements that it is given.
#include "lib/storage.h"

#define ONC_JOIN2(a, b) a##b
#define ONC_JOIN(a, b) ONC_JOIN2(a, b)
typedef ONC_JOIN(T, 16) V;
typedef ONC_JOIN(T, 8) V8;
typedef ONC_JOIN(T, 4) V4;
typedef ONC_JOIN(T, 2) V2;

// Sixteen neighbours of T, whole: pocl 3.1 takes vstore16 apart, but not a member of a packed structure, which any address suits (lib/memory.h).
typedef struct __attribute__((packed)) {
  V v;
} PackedV;
static inline void store_whole(V v, global T *p) { ((global PackedV *)p)->v = v; }
#if !defined(STORAGE_F16) && !defined(STORAGE_BF16)
#undef STORE16
#define STORE16(p, v) store_whole(v, p)
#endif

static inline T lanes_sum(V v) {
  V8 a = v.lo + v.hi;
  V4 b = a.lo + a.hi;
  V2 c = b.lo + b.hi;
  return c.x + c.y;
}

// The greatest lane; a NaN lane may be passed over.
static inline T lanes_max(V v) {
  V8 a = v.lo > v.hi ? v.lo : v.hi;
  V4 b = a.lo > a.hi ? a.lo : a.hi;
  V2 c = b.lo > b.hi ? b.lo : b.hi;
  return c.x > c.y ? c.x : c.y;
}

// p[0 … n-1] with n < 16; the other lanes hold fill.
static inline V load_part(const global E *p, int n, T fill) {
  V v = (V)(fill);
  T *lane = (T *)&v;
  for (int i = 0; i < n; ++i) lane[i] = LOAD_AT(p, i);
  return v;
}

static inline void store_part(V v, int n, global E *p) {
  const T *lane = (const T *)&v;
  for (int i = 0; i < n; ++i) STORE_AT(p, i, lane[i]);
}

// p[0 … n-1] of 16, whole or in part.
static inline V load_upto(const global E *p, int n, T fill) { return n >= 16 ? LOAD16(p) : load_part(p, n, fill); }
static inline void store_upto(V v, int n, global E *p) {
  if (n >= 16) {
    STORE16(p, v);
  } else {
    store_part(v, n, p);
  }
}
