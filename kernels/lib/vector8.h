// Eight values of T at once, for kernels that compute eight neighbouring outputs. T is float or double; M is the integer vector of a comparison of V8.
#define ONC_JOIN2(a, b) a##b
#define ONC_JOIN(a, b) ONC_JOIN2(a, b)
typedef ONC_JOIN(T, 8) V8;
typedef ONC_JOIN(MASK, 8) M8;  // MASK: int for float, long for double

// p[0], p[step], … p[7 * step], and nothing else.
static inline V8 load_step(const global T *p, int step) {
  if (step == 1) return vload8(0, p);
  if (step == 2) return (V8)(vload8(0, p).even, vload8(0, p + 7).odd);
  return (V8)(p[0], p[step], p[2 * step], p[3 * step], p[4 * step], p[5 * step], p[6 * step], p[7 * step]);
}
