// sin, cos and tan of float32, scalars and vectors (LANES elements), since some OpenCL libraries compute vectors lane by lane (pocl 3.1), or spoil the small
// lanes beside a huge one. Errors are about 1 unit in the last place, 3 of tan.
//
// Reduction after Cody and Waite, "Software manual for the elementary functions", 1980: |x| less k pi/2, with pi/2 in four parts of which the first three have
// 11 bits at most, so that k times them is exact for k < 2^13. What is left of pi/2 beyond them is 2^-63, and no float32 below the bound is nearer to a
// multiple of pi/2 than 2^-24: with fma or without, the rest has full accuracy. Lanes beyond the bound are the library's, and take its Payne-Hanek reduction.
#if defined(HAS_FMA)
#define TRIG_FMA(a, b, c) fma(a, b, c)
#else
#define TRIG_FMA(a, b, c) ((a) * (b) + (c))
#endif

// |x| = k pi/2 + rest, |rest| <= pi/4; the integer is k in its low bits. Adding 1.5 * 2^23 rounds to a whole number; a NaN stays one.
static inline T FN(onc_trig_reduce)(T a, IT *k) {
  const T shifted = a * C(0.636619772) + C(12582912.0), n = shifted - C(12582912.0);
  *k = AS_IT(shifted);
  T r = TRIG_FMA(-n, C(1.5703125), a);
  r = TRIG_FMA(-n, C(4.83751297e-04), r);
  r = TRIG_FMA(-n, C(7.54953362e-08), r);
  return TRIG_FMA(-n, C(2.56334407e-12), r);
}
// For |r| <= pi/4, least maximum error (relative; absolute of the cosine), coefficients rounded one after the other: 4e-9 and 1e-10 before rounding.
static inline T FN(onc_trig_small_sin)(T r) {
  const T s = r * r;
  T p = TRIG_FMA(C(-1.95181885e-04), s, C(8.33218917e-03));
  p = TRIG_FMA(p, s, C(-1.66666552e-01));
  return TRIG_FMA(p * s, r, r);
}
static inline T FN(onc_trig_small_cos)(T r) {
  const T s = r * r;
  T p = TRIG_FMA(C(2.44306683e-05), s, C(-1.38873013e-03));
  p = TRIG_FMA(p, s, C(4.16666456e-02));
  return TRIG_FMA(p * s, s, TRIG_FMA(C(-0.5), s, C(1.0)));
}

// Lanes beyond the bound, infinities too, by the library's scalar function.
#if LANES == 1
#define TRIG_FAR(f, x, y)                  \
  if (fabs(x) > C(12800.0)) y = f(x);
#else
#define TRIG_FAR(f, x, y)                                                         \
  if (any(fabs(x) > C(12800.0))) {                                             \
    const T far = x;                                                              \
    T all = y;                                                                    \
    for (int l = 0; l < LANES; ++l) {                                             \
      const float lane = ((const float *)&far)[l];                                \
      if (fabs(lane) > 12800.0f) ((float *)&all)[l] = f(lane);               \
    }                                                                             \
    y = all;                                                                      \
  }
#endif

static inline T FN(onc_trig_sin)(T x) {
  IT k;
  const T r = FN(onc_trig_reduce)(fabs(x), &k);
  const T magnitude = SEL((k & 1) != 0, FN(onc_trig_small_cos)(r), FN(onc_trig_small_sin)(r));
  T y = AS_T(AS_IT(magnitude) ^ (AS_IT(x) & (IT)(INT_MIN)) ^ ((k & 2) << 30));
  TRIG_FAR(sin, x, y)
  return y;
}
static inline T FN(onc_trig_cos)(T x) {
  IT k;
  const T r = FN(onc_trig_reduce)(fabs(x), &k);
  const T magnitude = SEL((k & 1) != 0, FN(onc_trig_small_sin)(r), FN(onc_trig_small_cos)(r));
  T y = AS_T(AS_IT(magnitude) ^ (((k + 1) & 2) << 30));
  TRIG_FAR(cos, x, y)
  return y;
}
static inline T FN(onc_trig_tan)(T x) {
  IT k;
  const T r = FN(onc_trig_reduce)(fabs(x), &k);
  const T s = FN(onc_trig_small_sin)(r), c = FN(onc_trig_small_cos)(r);
  const T magnitude = SEL((k & 1) != 0, -c, s) / SEL((k & 1) != 0, s, c);
  T y = AS_T(AS_IT(magnitude) ^ (AS_IT(x) & (IT)(INT_MIN)));
  TRIG_FAR(tan, x, y)
  return y;
}
#undef TRIG_FMA
#undef TRIG_FAR
