// The normal distribution, scalars (T float or double): quantiles and the logarithm of its integral.

// Wichura, "Algorithm AS 241: the percentage points of the normal distribution", 1988: rational functions of the distance from one half, and of the
// root of the logarithm of a tail up to 5 and beyond.
TABLE T FN(normal_centre)[] = {
    C(2.5090809287301226727e+3), C(3.3430575583588128105e+4), C(6.7265770927008700853e+4), C(4.5921953931549871457e+4), C(1.3731693765509461125e+4),
    C(1.9715909503065514427e+3), C(1.3314166789178437745e+2), C(3.3871328727963666080e0)};
TABLE T FN(normal_centre_under)[] = {
    C(5.2264952788528545610e+3), C(2.8729085735721942674e+4), C(3.9307895800092710610e+4), C(2.1213794301586595867e+4), C(5.3941960214247511077e+3),
    C(6.8718700749205790830e+2), C(4.2313330701600911252e+1), C(1.0)};
TABLE T FN(normal_tail)[] = {
    C(7.74545014278341407640e-4), C(2.27238449892691845833e-2), C(2.41780725177450611770e-1), C(1.27045825245236838258e0),
    C(3.64784832476320460504e0), C(5.76949722146069140550e0), C(4.63033784615654529590e0), C(1.42343711074968357734e0)};
TABLE T FN(normal_tail_under)[] = {
    C(1.05075007164441684324e-9), C(5.47593808499534494600e-4), C(1.51986665636164571966e-2), C(1.48103976427480074590e-1),
    C(6.89767334985100004550e-1), C(1.67638483018380384940e0), C(2.05319162663775882187e0), C(1.0)};
TABLE T FN(normal_far)[] = {
    C(2.01033439929228813265e-7), C(2.71155556874348757815e-5), C(1.24266094738807843860e-3), C(2.65321895265761230930e-2),
    C(2.96560571828504891230e-1), C(1.78482653991729133580e0), C(5.46378491116411436990e0), C(6.65790464350110377720e0)};
TABLE T FN(normal_far_under)[] = {
    C(2.04426310338993978564e-15), C(1.42151175831644588870e-7), C(1.84631831751005468180e-5), C(7.86869131145613259100e-4),
    C(1.48753612908506148525e-2), C(1.36929880922735805310e-1), C(5.99832206555887937690e-1), C(1.0)};

// The quantile of 1/2 + q for |q| <= 0.425, and the magnitude of that of a tail: of p near 0.
static inline T FN(onc_normal_centre)(T q) {
  const T r = C(0.180625) - q * q;
  return q * FN(onc_polynomial)(FN(normal_centre), 8, r) / FN(onc_polynomial)(FN(normal_centre_under), 8, r);
}
static inline T FN(onc_normal_tail)(T p) {
  const T root = sqrt(-log(p));
  if (root > C(5.0)) return FN(onc_polynomial)(FN(normal_far), 8, root - C(5.0)) / FN(onc_polynomial)(FN(normal_far_under), 8, root - C(5.0));
  return FN(onc_polynomial)(FN(normal_tail), 8, root - C(1.6)) / FN(onc_polynomial)(FN(normal_tail_under), 8, root - C(1.6));
}
static inline T FN(onc_normal_ndtri)(T p) {
  if (!(p > C(0.0) && p < C(1.0))) return p == C(0.0) ? -(T)(INFINITY) : p == C(1.0) ? (T)(INFINITY) : (T)(NAN);
  const T q = p - C(0.5);
  if (fabs(q) <= C(0.425)) return FN(onc_normal_centre)(q);
  return q < C(0.0) ? -FN(onc_normal_tail)(p) : FN(onc_normal_tail)(C(1.0) - p);
}
static inline T FN(onc_normal_erfinv)(T x) {
  const T a = fabs(x);
  if (!(a < C(1.0))) return a == C(1.0) ? copysign((T)(INFINITY), x) : (T)(NAN);
  if (a <= C(0.85)) return FN(onc_normal_centre)(x * C(0.5)) * C(0.70710678118654752);
  return copysign(FN(onc_normal_tail)((C(1.0) - a) * C(0.5)) * C(0.70710678118654752), x);
}

// (1 + 2 x) erfcx(x) in (x - 3.75) / (x + 3.75), after Shepherd and Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x", 1981.
#if MANTISSA == 52
TABLE T FN(normal_erfcx)[] = {
    C(5.068148904796111e-17), C(7.4182352566240441e-17), C(-1.2507950530688648e-15), C(-1.864562880419313e-15), C(3.3478119482868056e-14),
    C(3.2525481481487401e-14), C(-9.6546967484334393e-13), C(1.9455868545777347e-13), C(2.8687950109306699e-11), C(-6.3180883408866841e-11),
    C(-7.7544002088313509e-10), C(4.5219598112182866e-09), C(1.076499946567091e-08), C(-2.1886401049234397e-07), C(7.7403830661984903e-07),
    C(4.1390279860730102e-06), C(-6.916973302501207e-05), C(0.00049077583652580863), C(-0.0024131635404176081), C(0.0090749976707052652),
    C(-0.026658668435305753), C(0.059209939998191893), C(-0.084249133366517917), C(-0.0045900545806464776), C(2.3551578691348034)};
#else
TABLE T FN(normal_erfcx)[] = {
    C(-2.18864017e-07), C(7.74038313e-07), C(4.13902808e-06), C(-6.91697351e-05), C(0.000490775856), C(-0.00241316343), C(0.00907499809),
    C(-0.0266586691), C(0.0592099391), C(-0.0842491314), C(-0.00459005451), C(2.35515785)};
#endif
// An error of a square is one of its exponential's logarithm: hence what rounding takes from the square.
static inline T FN(onc_normal_square_low)(T x) { return fma(x, x, -x * x); }
static inline T FN(onc_normal_erfcx)(T x) {
  if (x == (T)(INFINITY)) return C(0.0);
  if (x < C(-30.0)) return (T)(INFINITY);
  const T a = fabs(x);
  const T t = a > C(1e15) ? C(1.0) : (a - C(3.75)) / (a + C(3.75));
  const T y = FN(onc_chebyshev)(FN(normal_erfcx), LENGTH(FN(normal_erfcx)), t) / (C(1.0) + C(2.0) * a);
  return x < C(0.0) ? C(2.0) * exp(x * x) * (C(1.0) + FN(onc_normal_square_low)(x)) - y : y;
}
static inline T FN(onc_normal_log_ndtr)(T x) {
  const T t = x * C(0.70710678118654752);
  if (x < C(-1.0)) return log(FN(onc_normal_erfcx)(-t) * C(0.5)) - C(0.5) * x * x;
  if (x > C(1.0) && x < C(40.0))
    return log1p(C(-0.5) * FN(onc_normal_erfcx)(t) * exp(C(-0.5) * x * x) * (C(1.0) - C(0.5) * FN(onc_normal_square_low)(x)));
  return log1p(-erfc(t) * C(0.5));
}
