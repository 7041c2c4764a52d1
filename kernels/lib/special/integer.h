// Functions of integers: T int or long, UT its unsigned type. All wrap.
static inline T FN(onc_integer_gcd)(T a, T b) {
  UT x = a < 0 ? (UT)0 - (UT)a : (UT)a, y = b < 0 ? (UT)0 - (UT)b : (UT)b;
  while (y != 0) {
    const UT rest = x % y;
    x = y;
    y = rest;
  }
  return (T)x;
}
static inline T FN(onc_integer_lcm)(T a, T b) {
  const T g = FN(onc_integer_gcd)(a, b);
  if (g == 0) return 0;
  const T y = (T)((UT)(g == -1 ? (T)((UT)0 - (UT)a) : a / g) * (UT)b);
  return y < 0 ? (T)((UT)0 - (UT)y) : y;
}
// A negative exponent gives the whole part of the quotient, and 0 for 0.
static inline T FN(onc_integer_pow)(T a, T b) {
  if (b < 0) return a == 1 ? 1 : a == -1 ? ((b & 1) != 0 ? -1 : 1) : 0;
  UT y = 1, power = (UT)a;
  for (UT rest = (UT)b; rest != 0; rest >>= 1) {
    if ((rest & 1) != 0) y *= power;
    power *= power;
  }
  return (T)y;
}
