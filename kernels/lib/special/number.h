// The parts of a floating number, scalars (T float or double), by its bits: no subnormal number is computed with.
static inline T FN(onc_number_mantissa)(T x) {  // 1/2 <= |m| < 1; zero, infinity and NaN are themselves
  const IT magnitude = AS_IT(fabs(x)), exponents = MANTISSA == 52 ? 2047 : 255;
  if (magnitude == 0 || magnitude >= exponents << MANTISSA) return x;
  const IT normal = magnitude < (IT)(1) << MANTISSA ? AS_IT((T)(magnitude)) : magnitude;
  return copysign(AS_T((normal & (((IT)(1) << MANTISSA) - 1)) | (exponents / 2 - 1) << MANTISSA), x);
}
static inline T FN(onc_number_exponent)(T x) {  // 0 for zero, infinity and NaN
  const IT magnitude = AS_IT(fabs(x)), exponents = MANTISSA == 52 ? 2047 : 255, bias = exponents / 2 - 1;
  if (magnitude == 0 || magnitude >= exponents << MANTISSA) return C(0.0);
  if (magnitude < (IT)(1) << MANTISSA) return (T)((AS_IT((T)(magnitude)) >> MANTISSA) - bias - (bias + MANTISSA));
  return (T)((magnitude >> MANTISSA) - bias);
}
static inline T FN(onc_number_pow2)(T x) {  // exact for whole numbers
  const IT bias = MANTISSA == 52 ? 1023 : 127;
  if (x != rint(x)) return exp2(x);
  if (x > (T)(bias)) return (T)(INFINITY);
  if (x < (T)(1 - bias - MANTISSA)) return C(0.0);
  const IT k = (IT)(x);
  return k > -bias ? AS_T((k + bias) << MANTISSA) : AS_T((IT)(1) << (k + bias + MANTISSA - 1));
}
