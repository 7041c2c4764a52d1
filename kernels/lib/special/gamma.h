// The gamma function's logarithm and what derives from it, scalars (T float or double). Series computed from 50 digits for this file. Near a zero
// left of the origin errors are those of the terms that cancel; else they are a few units in the last place.

// ln Gamma(2 + t) / t for |t| <= 1/2: 1 - Euler's constant, then (zeta(k) - 1) / k with changing signs.
#if MANTISSA == 52
TABLE T FN(gamma_near_two)[] = {
    C(1.3304764374244489e-10), C(-2.7595228851242334e-10), C(5.7313672416788623e-10), C(-1.1921401405860912e-09), C(2.4836745438024785e-09),
    C(-5.1834750419700466e-09), C(1.0838659214896955e-08), C(-2.2711094608943164e-08), C(4.7698101693639804e-08), C(-1.0043224823968099e-07),
    C(2.1207184805554665e-07), C(-4.4924691987645662e-07), C(9.5514121304074194e-07), C(-2.0392157538013662e-06), C(4.3748667899074882e-06),
    C(-9.4394882752683967e-06), C(2.0507212775670691e-05), C(-4.4926236738133142e-05), C(9.9457512781808531e-05), C(-0.00022315475845357939),
    C(0.00050966952474304245), C(-0.001192753911703261), C(0.0028905103307415234), C(-0.0073855510286739857), C(0.020580808427784546),
    C(-0.067352301053198102), C(0.3224670334241132), C(0.42278433509846713)};
#else
TABLE T FN(gamma_near_two)[] = {
    C(-9.43948817e-06), C(2.0507212e-05), C(-4.4926237e-05), C(9.94575094e-05), C(-0.000223154755), C(0.000509669539), C(-0.0011927539),
    C(0.00289051025), C(-0.007385551), C(0.0205808077), C(-0.0673523024), C(0.322467029), C(0.422784328)};
#endif
#if MANTISSA == 52
TABLE T FN(gamma_stirling)[] = {
    C(0.17964437236883057), C(-0.029550653594771242), C(0.00641025641025641), C(-0.0019175269175269176), C(0.00084175084175084171),
    C(-0.00059523809523809529), C(0.00079365079365079365), C(-0.0027777777777777779), C(0.083333333333333329)};
#else
TABLE T FN(gamma_stirling)[] = {
    C(-0.000595238118), C(0.000793650805), C(-0.00277777785), C(0.0833333358)};
#endif
static inline T FN(onc_gamma_lgamma1p)(T s) {  // ln Gamma(1 + s), |s| <= 1/2
  return s * FN(onc_polynomial)(FN(gamma_near_two), LENGTH(FN(gamma_near_two)), s) - log1p(s);
}
static inline T FN(onc_gamma_lgamma_positive)(T x) {
  if (x < C(0.5)) return FN(onc_gamma_lgamma1p)(x) - log(x);
  if (x < C(1.5)) return FN(onc_gamma_lgamma1p)(x - C(1.0));
  if (x < C(10.0)) {
    T product = C(1.0);
    while (x >= C(2.5)) {
      x -= C(1.0);
      product *= x;
    }
    const T t = x - C(2.0);
    return log(product) + t * FN(onc_polynomial)(FN(gamma_near_two), LENGTH(FN(gamma_near_two)), t);
  }
  if (x == (T)(INFINITY)) return x;
  const T u = C(1.0) / x;
  return (x - C(0.5)) * (log(x) - C(1.0)) + (C(0.41893853320467274) + u * FN(onc_polynomial)(FN(gamma_stirling), LENGTH(FN(gamma_stirling)), u * u));
}
// |sin(pi x)| and the like need x less its nearest whole number, which is exact.
static inline T FN(onc_gamma_fraction)(T x) { return x - rint(x); }
static inline T FN(onc_gamma_lgamma)(T x) {
  if (x != x) return x;
  if (fabs(x) == (T)(INFINITY)) return (T)(INFINITY);
  if (x >= C(0.5)) return FN(onc_gamma_lgamma_positive)(x);
  if (x > C(-0.5)) return x == C(0.0) ? (T)(INFINITY) : FN(onc_gamma_lgamma1p)(x) - log(fabs(x));
  const T r = FN(onc_gamma_fraction)(x);
  if (r == C(0.0)) return (T)(INFINITY);
  return log(C(3.1415926535897931) / (-x * fabs(sin(C(3.1415926535897931) * r)))) - FN(onc_gamma_lgamma_positive)(-x);
}

// psi(x) / (x - x0) over 1 … 2, x0 being the zero, and -B(2k) / 2k.
#if MANTISSA == 52
TABLE T FN(gamma_digamma)[] = {
    C(1.3917077694741539e-17), C(-8.1114842034650894e-17), C(4.7277361786019116e-16), C(-2.7555431377438815e-15), C(1.606064636295075e-14),
    C(-9.3609931310364384e-14), C(5.4561475703227946e-13), C(-3.1802353658255301e-12), C(1.8537351920536379e-11), C(-1.080593028883266e-10),
    C(6.2997172361089314e-10), C(-3.6732959185651789e-09), C(2.1425009322359472e-08), C(-1.2502886813559594e-07), C(7.3027692724659233e-07),
    C(-4.2721034029993324e-06), C(2.5060543468359146e-05), C(-0.00014773492650606044), C(0.00087886569378205052), C(-0.0053200772715965476),
    C(0.033368899023930108), C(-0.22706408633464439), C(1.9671405208831341)};
#else
TABLE T FN(gamma_digamma)[] = {
    C(2.14250093e-08), C(-1.25028862e-07), C(7.30276952e-07), C(-4.27210352e-06), C(2.50605426e-05), C(-0.000147734929), C(0.000878865714),
    C(-0.0053200773), C(0.0333689004), C(-0.227064088), C(1.96714056)};
#endif
#if MANTISSA == 52
TABLE T FN(gamma_digamma_tail)[] = {
    C(-3.0539543302701198), C(0.44325980392156861), C(-0.083333333333333329), C(0.021092796092796094), C(-0.007575757575757576),
    C(0.0041666666666666666), C(-0.003968253968253968), C(0.0083333333333333332), C(-0.083333333333333329)};
#else
TABLE T FN(gamma_digamma_tail)[] = {
    C(0.00416666688), C(-0.0039682542), C(0.00833333377), C(-0.0833333358)};
#endif
static inline T FN(onc_gamma_digamma_positive)(T x) {
  if (x > C(12.0)) {
    const T u = C(1.0) / x;
    return log(x) - C(0.5) * u + u * u * FN(onc_polynomial)(FN(gamma_digamma_tail), LENGTH(FN(gamma_digamma_tail)), u * u);
  }
  T sum = C(0.0);
  if (x < C(1.0)) {
    sum = -C(1.0) / x;
    x += C(1.0);
  }
  while (x > C(2.0)) {
    x -= C(1.0);
    sum += C(1.0) / x;
  }
#if MANTISSA == 52
  const T away = (x - C(1.4616321449683622)) - C(9.549995429965697e-17);
#else
  const T away = (x - C(1.46163213)) - C(1.24381499e-08);
#endif
  return sum + away * FN(onc_chebyshev)(FN(gamma_digamma), LENGTH(FN(gamma_digamma)), C(2.0) * x - C(3.0));
}
static inline T FN(onc_gamma_digamma)(T x) {
  if (x == C(0.0)) return copysign((T)(INFINITY), -x);
  if (x > C(0.0) || x != x) return x == (T)(INFINITY) || x != x ? x : FN(onc_gamma_digamma_positive)(x);
  const T r = FN(onc_gamma_fraction)(x);
  if (r == C(0.0) || x == -(T)(INFINITY)) return (T)(NAN);
  return FN(onc_gamma_digamma_positive)(C(1.0) - x) - C(3.1415926535897931) / tan(C(3.1415926535897931) * r);
}

// B(2k).
#if MANTISSA == 52
TABLE T FN(gamma_trigamma_tail)[] = {
    C(54.971177944862156), C(-7.0921568627450977), C(1.1666666666666667), C(-0.2531135531135531), C(0.07575757575757576), C(-0.033333333333333333),
    C(0.023809523809523808), C(-0.033333333333333333), C(0.16666666666666666)};
#else
TABLE T FN(gamma_trigamma_tail)[] = {
    C(-0.0333333351), C(0.0238095243), C(-0.0333333351), C(0.166666672)};
#endif
static inline T FN(onc_gamma_trigamma)(T x) {
  if (x != x || x == -(T)(INFINITY)) return (T)(NAN);
  if (x < C(0.5)) {
    const T r = FN(onc_gamma_fraction)(x), root = C(3.1415926535897931) / sin(C(3.1415926535897931) * r);
    T y = C(1.0) - x, sum = C(0.0);
    for (; y < C(12.0); y += C(1.0)) sum += C(1.0) / (y * y);
    const T u = C(1.0) / y;
    return root * root - (sum + u * (C(1.0) + u * (C(0.5) + u * FN(onc_polynomial)(FN(gamma_trigamma_tail), LENGTH(FN(gamma_trigamma_tail)), u * u))));
  }
  T sum = C(0.0);
  for (; x < C(12.0); x += C(1.0)) sum += C(1.0) / (x * x);
  const T u = C(1.0) / x;
  return sum + u * (C(1.0) + u * (C(0.5) + u * FN(onc_polynomial)(FN(gamma_trigamma_tail), LENGTH(FN(gamma_trigamma_tail)), u * u)));
}

// B(2k) / (2k)!, the first first.
#if MANTISSA == 52
TABLE T FN(gamma_zeta_tail)[] = {
    C(0.083333333333333329), C(-0.0013888888888888889), C(3.3068783068783071e-05), C(-8.2671957671957675e-07), C(2.08767569878681e-08),
    C(-5.2841901386874932e-10), C(1.3382536530684679e-11), C(-3.3896802963225827e-13), C(8.5860620562778452e-15), C(-2.1748686985580619e-16),
    C(5.5090028283602295e-18), C(-1.3954464685812522e-19)};
#else
TABLE T FN(gamma_zeta_tail)[] = {
    C(0.0833333358), C(-0.00138888892), C(3.30687835e-05), C(-8.26719599e-07), C(2.08767563e-08), C(-5.28419031e-10), C(1.33825364e-11),
    C(-3.3896803e-13), C(8.58606213e-15), C(-2.17486866e-16), C(5.50900303e-18), C(-1.39544646e-19)};
#endif
// Hurwitz' zeta, the sum of (q + k)^-s, by Euler and Maclaurin: ten terms and more, then the integral and its corrections.
static inline T FN(onc_gamma_zeta)(T s, T q) {
  if (s == C(1.0)) return (T)(INFINITY);
  if (!(s > C(1.0)) || q != q) return (T)(NAN);
  if (q <= C(0.0)) {
    if (q == floor(q)) return (T)(INFINITY);
    if (s != floor(s)) return (T)(NAN);
  }
  T sum = C(0.0), at = q, power = C(0.0);
  const T least = MANTISSA == 52 ? C(1.1e-16) : C(5.9e-8);
  for (int k = 0; k < 10 || at <= C(9.0); ++k) {
    power = pow(at, -s);
    sum += power;
    if (at > C(2.0) && sum > C(0.0) && power <= least * C(0.0625) * sum) return sum;
    if (q < C(-1e6)) return (T)(NAN);
    at += C(1.0);
  }
  power = pow(at, -s);
  sum += (power > C(1e-30) ? power * at : pow(at, C(1.0) - s)) / (s - C(1.0)) + C(0.5) * power;
  if (power == C(0.0)) return sum;
  T factor = s, k = C(1.0);
  power /= at;
  for (int i = 0; i < 12; ++i) {
    const T term = factor * power * FN(gamma_zeta_tail)[i];
    sum += term;
    if (fabs(term) < least * sum) break;
    factor *= (s + k) * (s + k + C(1.0));
    k += C(2.0);
    power /= at * at;
  }
  return sum;
}

// The n-th derivative of digamma, n = 0, 1, ...: (-1)^(n+1) n! zeta(n + 1, x). A fraction of n is dropped.
static inline T FN(onc_gamma_polygamma)(T order, T x) {
  const T n = trunc(order);
  if (!(n >= C(0.0))) return (T)(NAN);
  if (n == C(0.0)) return FN(onc_gamma_digamma)(x);
  if (n == C(1.0)) return FN(onc_gamma_trigamma)(x);
  if (x > C(1e4) && n <= C(30.0)) {  // the first terms of the asymptotic series: zeta alone would underflow
    const T u = C(1.0) / x;
    T y = u;
    for (T k = C(1.0); k < n; k += C(1.0)) y *= k * u;
    y *= C(1.0) + C(0.5) * n * u + C(0.083333333333333333) * n * (n + C(1.0)) * u * u;
    return floor(n * C(0.5)) * C(2.0) == n ? -y : y;
  }
  T y = FN(onc_gamma_zeta)(n + C(1.0), x);
  if (n <= C(30.0)) {
    for (T k = C(2.0); k <= n; k += C(1.0)) y *= k;
  } else {  // by logarithms, since the factorial may be infinite
    y = copysign(exp(FN(onc_gamma_lgamma)(n + C(1.0)) + log(fabs(y))), y);
  }
  return floor(n * C(0.5)) * C(2.0) == n ? -y : y;
}

// ln(1 + m) - m without cancellation.
static inline T FN(onc_gamma_log1p_less)(T m) {
  if (fabs(m) > C(0.35)) return log1p(m) - m;
  T sum = C(0.0), power = -m * m;
  for (int k = 2; k < 48; ++k) {
    const T term = power / (T)(k);
    sum += term;
    if (fabs(term) < fabs(sum) * C(2e-17)) break;
    power *= -m;
  }
  return sum;
}
// x^a exp(-x) / Gamma(a). A power and an exponential each, since a sum of large logarithms would be rounded where the exponential multiplies it; roots
// of both, since one of them may leave the type's range where the product does not.
static inline T FN(onc_gamma_density)(T a, T x) {
  if (a < C(10.0)) {
    const T lgamma = a <= C(0.5) ? FN(onc_gamma_lgamma1p)(a) : FN(onc_gamma_lgamma_positive)(a), root = exp(C(-0.5) * x);
    const T y = x > (MANTISSA == 52 ? C(1400.0) : C(170.0)) ? exp(a * log(x) - x - lgamma) : pow(x, a) * root * root * exp(-lgamma);
    return a <= C(0.5) ? a * y : y;  // 1 / Gamma(a) = a / Gamma(1 + a)
  }
  const T u = C(1.0) / a;
  const T stirling = u * FN(onc_polynomial)(FN(gamma_stirling), LENGTH(FN(gamma_stirling)), u * u);
  const T m = (x - a) / a, d = a - x, scale = sqrt(a * C(0.15915494309189535));
  if (fabs(m) <= C(0.35)) return scale * exp(a * FN(onc_gamma_log1p_less)(m) - stirling);
  if (fabs(d) > C(600.0)) return scale * exp(a * (log(x / a) - m) - stirling);
  const T q = x / a, part = fabs(d) < C(160.0) ? C(0.5) : C(0.125);  // what x / a and a - x lack, in the end
  const T low = fma(-q, a, x) / q + (fabs(x) > fabs(a) ? a - (d + x) : (a - d) - x);
  T y = pow(q, a * part) * exp(d * part);
  y *= y;
  if (part < C(0.5)) {
    y *= y;
    y *= y;
  }
  return scale * y * exp(low - stirling);
}
static inline T FN(onc_gamma_lower_series)(T a, T x) {
  T sum = C(1.0), term = C(1.0), k = a;
  for (int i = 0; i < 2000; ++i) {
    k += C(1.0);
    term *= x / k;
    sum += term;
    if (term <= (MANTISSA == 52 ? C(1e-17) : C(1e-8)) * sum) break;
  }
  return FN(onc_gamma_density)(a, x) / a * sum;
}
// 1 - x^a / Gamma(1 + a) - ..., for small x and a, without cancellation.
static inline T FN(onc_gamma_upper_series)(T a, T x) {
  T sum = C(0.0), factor = C(1.0);
  for (int i = 1; i < 2000; ++i) {
    factor *= -x / (T)(i);
    const T term = factor / (a + (T)(i));
    sum += term;
    if (fabs(term) <= (MANTISSA == 52 ? C(1e-17) : C(1e-8)) * fabs(sum)) break;
  }
  const T power = a * log(x);
  const T gamma1 = a <= C(0.5) ? FN(onc_gamma_lgamma1p)(a) : FN(onc_gamma_lgamma_positive)(a + C(1.0));
  return -expm1(power - gamma1) - exp(power - gamma1) * a * sum;
}
// Legendre's continued fraction, by Lentz' method.
static inline T FN(onc_gamma_upper_fraction)(T a, T x) {
  const T tiny = C(1e-30);
  T b = x + C(1.0) - a, c = C(1.0) / tiny, d = C(1.0) / b, h = d;
  for (int i = 1; i < 2000; ++i) {
    const T an = -(T)(i) * ((T)(i) - a);
    b += C(2.0);
    d = an * d + b;
    d = fabs(d) < tiny ? tiny : d;
    c = b + an / c;
    c = fabs(c) < tiny ? tiny : c;
    d = C(1.0) / d;
    const T step = d * c;
    h *= step;
    if (fabs(step - C(1.0)) < (MANTISSA == 52 ? C(2.3e-16) : C(1.2e-7))) break;
  }
  return FN(onc_gamma_density)(a, x) * h;
}
// For large a and x near it: Temme, "The asymptotic expansion of the incomplete gamma functions", 1979, two terms. sign 1: the upper function, -1: the lower.
static inline T FN(onc_gamma_uniform)(T a, T x, T sign) {
  const T m = (x - a) / a, less = -FN(onc_gamma_log1p_less)(m);
  const T eta = copysign(sqrt(C(2.0) * less), m);
  const T c0 = fabs(eta) < C(0.1) ? C(-0.33333333333333333) + eta * (C(0.083333333333333333) + eta * (C(-0.014814814814814815) + eta * (C(0.0011574074074074074) +
                                    eta * (C(3.5273368606701940e-4) + eta * (C(-1.7875514403292181e-4) + eta * C(3.9192631785224378e-5))))))
                                  : C(1.0) / m - C(1.0) / eta;
  const T c1 = fabs(eta) < C(0.1) ? C(-0.0018518518518518519) + eta * (C(-0.0034722222222222222) + eta * (C(0.0026455026455026455) + eta * C(-9.9022633744855967e-4)))
                                  : C(1.0) / (eta * eta * eta) - C(1.0) / (m * m * m) - C(1.0) / (m * m) - C(1.0) / (C(12.0) * m);
  const T rest = exp(-a * less) / sqrt(C(6.2831853071795865) * a) * (c0 + c1 / a);
  return C(0.5) * erfc(sign * eta * sqrt(C(0.5) * a)) + sign * rest;
}
static inline T FN(onc_gamma_is_uniform)(T a, T x) {
  return a > (MANTISSA == 52 ? C(20000.0) : C(200.0)) && fabs(x - a) < C(0.3) * a ? C(1.0) : C(0.0);
}
static inline T FN(onc_gamma_igamma)(T a, T x) {
  if (!(a >= C(0.0) && x >= C(0.0))) return (T)(NAN);
  if (a == C(0.0)) return x > C(0.0) ? C(1.0) : (T)(NAN);
  if (x == C(0.0)) return C(0.0);
  if (a == (T)(INFINITY)) return x == a ? (T)(NAN) : C(0.0);
  if (x == (T)(INFINITY)) return C(1.0);
  if (FN(onc_gamma_is_uniform)(a, x) != C(0.0)) return FN(onc_gamma_uniform)(a, x, C(-1.0));
  if (x > C(1.0) && x > a) return C(1.0) - FN(onc_gamma_upper_fraction)(a, x);
  return FN(onc_gamma_lower_series)(a, x);
}
static inline T FN(onc_gamma_igammac)(T a, T x) {
  if (!(a >= C(0.0) && x >= C(0.0))) return (T)(NAN);
  if (a == C(0.0)) return x > C(0.0) ? C(0.0) : (T)(NAN);
  if (x == C(0.0)) return C(1.0);
  if (a == (T)(INFINITY)) return x == a ? (T)(NAN) : C(1.0);
  if (x == (T)(INFINITY)) return C(0.0);
  if (FN(onc_gamma_is_uniform)(a, x) != C(0.0)) return FN(onc_gamma_uniform)(a, x, C(1.0));
  if (x > C(1.1)) return x < a ? C(1.0) - FN(onc_gamma_lower_series)(a, x) : FN(onc_gamma_upper_fraction)(a, x);
  if (x <= C(0.5) ? C(-0.4) / log(x) < a : x * C(1.1) < a) return C(1.0) - FN(onc_gamma_lower_series)(a, x);
  return FN(onc_gamma_upper_series)(a, x);
}
