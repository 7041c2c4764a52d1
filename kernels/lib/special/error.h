// The error function of float32, scalars and vectors, since some OpenCL libraries compute vectors lane by lane (pocl 3.1). Errors are about 1 unit in the
// last place.
#if defined(HAS_FMA)
#define ERROR_FMA(a, b, c) fma(a, b, c)
#else
#define ERROR_FMA(a, b, c) ((a) * (b) + (c))
#endif

// x + x p(x^2) to 15/16; beyond, 1 - exp(-t p(t)), of which 1 is left from 3.92 on. Least maximum error of the result, coefficients rounded one after the
// other: 1e-9 and 3e-9 before rounding.
static inline T FN(onc_error_erf)(T x) {
  const T t = fabs(x), s = x * x;
  T p = ERROR_FMA(C(8.00027919e-05), s, C(-8.05038435e-04));
  p = ERROR_FMA(p, s, C(5.19243814e-03));
  p = ERROR_FMA(p, s, C(-2.68557370e-02));
  p = ERROR_FMA(p, s, C(1.12836257e-01));
  p = ERROR_FMA(p, s, C(-3.76126289e-01));
  p = ERROR_FMA(p, s, C(1.28379166e-01));
  const T u = fmin(t, C(4.0));
  T q = ERROR_FMA(C(-2.13277570e-04), u, C(3.20920558e-03));
  q = ERROR_FMA(q, u, C(-2.28718072e-02));
  q = ERROR_FMA(q, u, C(1.05233990e-01));
  q = ERROR_FMA(q, u, C(6.35739088e-01));
  q = ERROR_FMA(q, u, C(1.12850833e+00));
  return SEL(t > C(0.9375), copysign(C(1.0) - exp(-u * q), x), ERROR_FMA(p, x, x));
}
#undef ERROR_FMA
