// The error function of float32, scalars and vectors, since some OpenCL libraries compute vectors lane by lane (pocl 3.1). Errors are below 2 units in the
// last place.
#if defined(HAS_FMA)
#define ERROR_FMA(a, b, c) fma(a, b, c)
#else
#define ERROR_FMA(a, b, c) ((a) * (b) + (c))
#endif

// x + x p(x^2) to 15/16; beyond, 1 - 2^(t q(t)), of which 1 is left from 3.92 on. Least maximum error of the result, coefficients rounded one after the
// other: 1e-9 and 3e-9 before rounding, and 2e-8 of the power of two, which is a polynomial of the fraction (from -1/2 to 1/2). q and it are summed in
// pairs, since here one operation waits for the other.
static inline T FN(onc_error_erf)(T x) {
  const T t = fabs(x), s = x * x;
  T p = ERROR_FMA(C(8.00027919e-05), s, C(-8.05038435e-04));
  p = ERROR_FMA(p, s, C(5.19243814e-03));
  p = ERROR_FMA(p, s, C(-2.68557370e-02));
  p = ERROR_FMA(p, s, C(1.12836257e-01));
  p = ERROR_FMA(p, s, C(-3.76126289e-01));
  p = ERROR_FMA(p, s, C(1.28379166e-01));
  const T u = fmin(t, C(4.0)), v = u * u;
  const T q0 = ERROR_FMA(C(-9.17194724e-01), u, C(-1.62808824e+00)), q2 = ERROR_FMA(C(3.29830199e-02), u, C(-1.51798368e-01));
  const T q4 = ERROR_FMA(C(3.07178241e-04), u, C(-4.62559192e-03));
  const T y = u * ERROR_FMA(ERROR_FMA(q4, v, q2), v, q0);
  // 1.5 * 2^23 + y is y rounded to an integer, which its last bits are.
  const T shifted = y + C(12582912.0), f = y - (shifted - C(12582912.0)), g = f * f;
  const T e0 = ERROR_FMA(C(6.93147004e-01), f, C(1.0)), e2 = ERROR_FMA(C(5.55071123e-02), f, C(2.40222469e-01));
  const T e4 = ERROR_FMA(C(1.32694060e-03), f, C(9.67129413e-03));
  const T power = AS_T(AS_IT(ERROR_FMA(ERROR_FMA(e4, g, e2), g, e0)) + (AS_IT(shifted) << 23));
  return SEL(t > C(0.9375), copysign(C(1.0) - power, x), ERROR_FMA(p, x, x));
}
#undef ERROR_FMA
