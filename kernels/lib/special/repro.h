// Functions of equal bits on every device: additions and multiplications (contraction off), which IEEE 754 rounds in one way only, and integer
// arithmetic on bits. OpenCL leaves the last bits of its library, of division and of sqrt to the device, and some devices have no subnormals; so there is none
// of these here, and a subnormal argument is taken apart as the whole number that it is. Random numbers are made of them.
//
// A text of rows (see rows.cpp of the plugin): T is float, a vector of it, or double; C(x) a constant, IT the integers of T's size, FN(name) the
// function's name for T. Errors are 1 to 2 units in the last place. A result below the smallest normal number is 0.
#if MANTISSA == 52
#define REPRO_BIAS 1023
#define REPRO_EXPONENTS 2047
#define REPRO_LEAST_NORMAL 0x0010000000000000L
#define REPRO_FRACTION 0x000fffffffffffffL
#define REPRO_ONE 0x3ff0000000000000L
#define REPRO_MAGNITUDE 0x7fffffffffffffffL
#define REPRO_RSQRT 0x5fe6eb50c7b537a9L
#define REPRO_STEPS 4
#define REPRO_SIGN 63
#else
#define REPRO_BIAS 127
#define REPRO_EXPONENTS 255
#define REPRO_LEAST_NORMAL 0x00800000
#define REPRO_FRACTION 0x007fffff
#define REPRO_ONE 0x3f800000
#define REPRO_MAGNITUDE 0x7fffffff
#define REPRO_RSQRT 0x5f3759df
#define REPRO_STEPS 3
#define REPRO_SIGN 31
#endif

// |x| = m * 2^exponent with 1 <= m < 2, for finite x other than 0. A subnormal number is its fraction times the least of them.
static inline T FN(onc_repro_split)(T x, IT *exponent) {
  const IT bits = AS_IT(x) & (IT)(REPRO_MAGNITUDE);
  const IT normal = SEL(bits < (IT)(REPRO_LEAST_NORMAL), AS_IT(TO_T(bits)), bits);
  *exponent = (normal >> MANTISSA) - SEL(bits < (IT)(REPRO_LEAST_NORMAL), (IT)(2 * REPRO_BIAS + MANTISSA - 1), (IT)(REPRO_BIAS));
  return AS_T((normal & (IT)(REPRO_FRACTION)) | (IT)(REPRO_ONE));
}

// m * 2^exponent for 1/2 <= m < 4 without multiplying: 0 below the normal numbers, infinity above the largest.
static inline T FN(onc_repro_scale)(T m, IT exponent) {
  const IT biased = (AS_IT(m) >> MANTISSA) + exponent;
  const T scaled = AS_T((AS_IT(m) & (IT)(REPRO_FRACTION)) | (biased << MANTISSA));
  return SEL(biased <= (IT)(0), C(0.0), SEL(biased >= (IT)(REPRO_EXPONENTS), (T)(INFINITY), scaled));
}

// 1 / d by Newton's method, from a first guess within 6 %.
static inline T FN(onc_repro_newton)(T d, T guess) {
  T r = guess;
  for (int step = 0; step < REPRO_STEPS; ++step) r = r + r * (C(1.0) - d * r);
  return r;
}

static inline T FN(onc_repro_reciprocal)(T x) {
  IT exponent;
  const T m = FN(onc_repro_split)(x, &exponent);
  // c (p + q - m) with the least relative error on p … q = 1 … 2.
  const T r = FN(onc_repro_newton)(m, C(0.470588235) * (C(3.0) - m));
  const IT bits = AS_IT(x) & (IT)(REPRO_MAGNITUDE), sign = AS_IT(x) ^ bits, infinity = (IT)(REPRO_EXPONENTS) << MANTISSA;
  const T y = SEL(bits == (IT)(0), (T)(INFINITY), SEL(bits >= infinity, C(0.0), FN(onc_repro_scale)(r, -exponent)));
  return SEL(bits > infinity, x, AS_T(AS_IT(y) | sign));
}

// By the reciprocal root, since Newton's method for it needs no division. The first guess is Lomont's ("Fast inverse square root", 2003).
static inline T FN(onc_repro_sqrt)(T x) {
  IT exponent;
  const T low = FN(onc_repro_split)(x, &exponent);
  const IT odd = exponent & (IT)(1);
  const T m = SEL(odd != (IT)(0), low + low, low);
  T r = AS_T((IT)(REPRO_RSQRT) - (AS_IT(m) >> 1));
  for (int step = 0; step < REPRO_STEPS; ++step) r = r + C(0.5) * r * (C(1.0) - m * r * r);
  const T s = m * r, root = s + C(0.5) * r * (m - s * s);
  const IT bits = AS_IT(x), magnitude = bits & (IT)(REPRO_MAGNITUDE), infinity = (IT)(REPRO_EXPONENTS) << MANTISSA;
  const T y = SEL(bits < (IT)(0), (T)(NAN), SEL(bits >= infinity, x, FN(onc_repro_scale)(root, (exponent - odd) >> 1)));
  return SEL(magnitude == (IT)(0) || magnitude > infinity, x, y);
}

// ln(m 2^k) = k ln 2 + ln(1 + f) with m in sqrt(1/2) … sqrt(2); with s = f / (2 + f), ln(1 + f) = 2 artanh s = f - f^2/2 + s (f^2/2 + R).
static inline T FN(onc_repro_log)(T x) {
  IT exponent;
  const T whole = FN(onc_repro_split)(x, &exponent);
  const T m = SEL(whole > C(1.41421354), whole * C(0.5), whole);
  const T k = TO_T(exponent + SEL(whole > C(1.41421354), (IT)(1), (IT)(0)));
  const T f = m - C(1.0), d = C(2.0) + f;
  const T s = f * FN(onc_repro_newton)(d, C(0.239011288) * (C(4.12132034) - d)), z = s * s, h = C(0.5) * f * f;
#if MANTISSA == 52
  const T high = C(6.9314718055829871e-01), low = C(1.6465949582897082e-12);
  T p = C(0.086956521739130432);
  p = C(0.095238095238095233) + z * p;
  p = C(0.10526315789473684) + z * p;
  p = C(0.11764705882352941) + z * p;
  p = C(0.13333333333333333) + z * p;
  p = C(0.15384615384615385) + z * p;
  p = C(0.18181818181818182) + z * p;
  p = C(0.22222222222222221) + z * p;
  p = C(0.2857142857142857) + z * p;
  p = C(0.40000000000000002) + z * p;
  p = C(0.66666666666666663) + z * p;
#else
  const T high = C(0.693145751953125), low = C(1.42860677e-06);
  T p = C(0.222222224);
  p = C(0.285714298) + z * p;
  p = C(0.400000006) + z * p;
  p = C(0.666666687) + z * p;
#endif
  const T y = k * high - ((h - (s * (h + z * p) + k * low)) - f);
  const IT bits = AS_IT(x), infinity = (IT)(REPRO_EXPONENTS) << MANTISSA;
  const T positive = SEL(bits >= infinity, x, y);
  return SEL((bits & (IT)(REPRO_MAGNITUDE)) == (IT)(0), -(T)(INFINITY), SEL(bits < (IT)(0), (T)(NAN), positive));
}

// 2^k e^r with |r| <= ln(2) / 2, e^r by its series.
static inline T FN(onc_repro_exp)(T x) {
#if MANTISSA == 52
  const T high = C(6.9314718055829871e-01), low = C(1.6465949582897082e-12), limit = C(800.0);
#else
  const T high = C(0.693145751953125), low = C(1.42860677e-06), limit = C(110.0);
#endif
  const T bounded = SEL(x == x, SEL(x > limit, limit, SEL(x < -limit, -limit, x)), C(0.0));
  const T k = floor(bounded * C(1.44269502) + C(0.5)), r = (bounded - k * high) - k * low;
#if MANTISSA == 52
  T p = C(1.1470745597729725e-11);
  p = C(1.6059043836821613e-10) + r * p;
  p = C(2.08767569878681e-09) + r * p;
  p = C(2.505210838544172e-08) + r * p;
  p = C(2.7557319223985888e-07) + r * p;
  p = C(2.7557319223985893e-06) + r * p;
  p = C(2.4801587301587302e-05) + r * p;
  p = C(0.00019841269841269841) + r * p;
  p = C(0.0013888888888888889) + r * p;
  p = C(0.0083333333333333332) + r * p;
  p = C(0.041666666666666664) + r * p;
  p = C(0.16666666666666666) + r * p;
#else
  T p = C(0.000198412701);
  p = C(0.00138888892) + r * p;
  p = C(0.00833333377) + r * p;
  p = C(0.0416666679) + r * p;
  p = C(0.166666672) + r * p;
#endif
  p = C(0.5) + r * p;
  const T y = FN(onc_repro_scale)(C(1.0) + (r + r * r * p), TO_IT(k));
  return SEL(x == x, y, x);
}

// |x| less the nearest multiple of 1/2, and which one it is, modulo 4. Exact.
static inline T FN(onc_repro_turn)(T x, IT *quarter) {
  const T a = AS_T(AS_IT(x) & (IT)(REPRO_MAGNITUDE));
  const T y = a - C(2.0) * floor(a * C(0.5)), n = floor(y + y + C(0.5));
  *quarter = TO_IT(SEL(y == y, n, C(0.0))) & (IT)(3);
  return y - C(0.5) * n;
}

// sin(pi r) and cos(pi r) for |r| <= 1/4, by their series.
static inline T FN(onc_repro_small_sin)(T r) {
  const T z = r * r;
#if MANTISSA == 52
  T p = C(7.9520540014755126e-07);
  p = C(-2.1915353447830217e-05) + z * p;
  p = C(0.00046630280576761255) + z * p;
  p = C(-0.0073704309457143504) + z * p;
  p = C(0.082145886611128233) + z * p;
  p = C(-0.59926452932079211) + z * p;
  p = C(2.5501640398773455) + z * p;
  p = C(-5.1677127800499703) + z * p;
  // pi is not a double: its second half adds what the first lacks.
  return r * C(3.1415926535897931) + r * (z * p + C(1.2246467991473532e-16));
#else
  T p = C(-0.00737043098);
  p = C(0.0821458846) + z * p;
  p = C(-0.599264503) + z * p;
  p = C(2.55016398) + z * p;
  p = C(-5.16771269) + z * p;
  return r * C(3.14159274) + r * (z * p + C(-8.74227766e-08));
#endif
}
static inline T FN(onc_repro_small_cos)(T r) {
  const T z = r * r;
#if MANTISSA == 52
  T p = C(-1.3878952462213771e-07);
  p = C(4.3030695870329473e-06) + z * p;
  p = C(-0.0001046381049248457) + z * p;
  p = C(0.0019295743094039231) + z * p;
  p = C(-0.025806891390014061) + z * p;
  p = C(0.23533063035889321) + z * p;
  p = C(-1.3352627688545895) + z * p;
  p = C(4.0587121264167685) + z * p;
  p = C(-4.934802200544679) + z * p;
#else
  T p = C(0.0019295743);
  p = C(-0.0258068908) + z * p;
  p = C(0.235330626) + z * p;
  p = C(-1.33526278) + z * p;
  p = C(4.05871201) + z * p;
  p = C(-4.93480206) + z * p;
#endif
  return C(1.0) + z * p;
}

static inline T FN(onc_repro_sinpi)(T x) {
  IT quarter;
  const T r = FN(onc_repro_turn)(x, &quarter);
  const T y = SEL((quarter & (IT)(1)) != (IT)(0), FN(onc_repro_small_cos)(r), FN(onc_repro_small_sin)(r));
  const IT sign = (AS_IT(x) & ~(IT)(REPRO_MAGNITUDE)) ^ ((quarter >> 1) << REPRO_SIGN);
  return AS_T(AS_IT(y) ^ sign);
}

static inline T FN(onc_repro_cospi)(T x) {
  IT quarter;
  const T r = FN(onc_repro_turn)(x, &quarter);
  const T y = SEL((quarter & (IT)(1)) != (IT)(0), FN(onc_repro_small_sin)(r), FN(onc_repro_small_cos)(r));
  // Negative in the second and third quarter.
  const IT sign = (((quarter + (IT)(1)) >> 1) & (IT)(1)) << REPRO_SIGN;
  return AS_T(AS_IT(y) ^ sign);
}

#undef REPRO_BIAS
#undef REPRO_EXPONENTS
#undef REPRO_LEAST_NORMAL
#undef REPRO_FRACTION
#undef REPRO_ONE
#undef REPRO_MAGNITUDE
#undef REPRO_RSQRT
#undef REPRO_STEPS
#undef REPRO_SIGN
