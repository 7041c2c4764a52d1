// The rows of elementwise.def for one operand type. A float32 instruction is IEEE float arithmetic step by step: its operators are
// float's own, and its functions are computed in double and rounded once, which is as good as correctly rounded. So a comparison, a
// cast or a floor that follows sees the value that float32 has, and no libm's last bit decides a test. (The build turns contraction
// off.) What lib/special computes in float32 for equal bits is computed here in float32 too; its other functions in double.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "oncilla/attrs.h"

namespace oncilla::reference::scalar {

#define ONC_REF_UNARY(name)                             \
  inline double name(double a) { return std::name(a); } \
  inline float name(float a) { return static_cast<float>(std::name(static_cast<double>(a))); }
ONC_REF_UNARY(fabs)
ONC_REF_UNARY(sqrt)
ONC_REF_UNARY(exp)
ONC_REF_UNARY(exp2)
ONC_REF_UNARY(expm1)
ONC_REF_UNARY(log)
ONC_REF_UNARY(log2)
ONC_REF_UNARY(log10)
ONC_REF_UNARY(log1p)
ONC_REF_UNARY(sin)
ONC_REF_UNARY(cos)
ONC_REF_UNARY(tan)
ONC_REF_UNARY(asin)
ONC_REF_UNARY(acos)
ONC_REF_UNARY(atan)
ONC_REF_UNARY(sinh)
ONC_REF_UNARY(cosh)
ONC_REF_UNARY(tanh)
ONC_REF_UNARY(asinh)
ONC_REF_UNARY(acosh)
ONC_REF_UNARY(atanh)
ONC_REF_UNARY(erf)
ONC_REF_UNARY(erfc)
ONC_REF_UNARY(floor)
ONC_REF_UNARY(ceil)
ONC_REF_UNARY(trunc)
ONC_REF_UNARY(rint)
#undef ONC_REF_UNARY

#define ONC_REF_BINARY(name)                                         \
  inline double name(double a, double b) { return std::name(a, b); } \
  inline float name(float a, float b) { return static_cast<float>(std::name(static_cast<double>(a), static_cast<double>(b))); }
ONC_REF_BINARY(pow)
ONC_REF_BINARY(atan2)
ONC_REF_BINARY(fmin)
ONC_REF_BINARY(fmax)
ONC_REF_BINARY(fmod)
ONC_REF_BINARY(hypot)
#undef ONC_REF_BINARY

using std::copysign, std::nextafter, std::signbit;
inline double fma(double a, double b, double c) { return std::fma(a, b, c); }
inline float fma(float a, float b, float c) { return std::fma(a, b, c); }

// The remainder that has the sign of b.
template <class T>
T onc_remainder(T a, T b) {
  const T r = fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

// The quotient rounded down. The exact multiple of b is taken off first, so that the division cannot round up to the next integer.
template <class T>
T onc_floor_div(T a, T b) {
  if (b == 0) return a / b;
  const T r = fmod(a, b);
  T quotient = rint((a - r) / b);
  if (r != 0 && (r < 0) != (b < 0)) quotient -= 1;
  return quotient == 0 ? std::copysign(T{0}, a / b) : quotient;
}

template <class T>
T onc_remainder_int(T a, T b) {
  if (b == 0 || b == -1) return 0;
  const T r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

template <class T>
T onc_floor_div_int(T a, T b) {
  if (b == 0) return 0;
  if (b == -1) return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(a));
  const T r = a % b;
  return a / b - (r != 0 && (r < 0) != (b < 0) ? 1 : 0);
}

#include "lib/special/cxx.hpp"

#define C(x) static_cast<T>(x)
#define SEL(condition, x, y) ((condition) ? (x) : (y))
#define NONE \
  T {}

// The value of a floating row; a comparison gives 0 or 1.
template <class T>
T evaluate_float(uint32_t op, T a, T b, T c) {
  (void)b, (void)c;
  switch (op) {
#define ONC_EW(number, NAME, name, arity, result, F, I, ...) \
  case number:                                               \
    return static_cast<T>(F);
#include "oncilla/elementwise.def"
#undef ONC_EW
    default:
      return std::numeric_limits<T>::quiet_NaN();
  }
}

// The value of an integer row, wrapping at T's width.
template <class T>
T evaluate_int(uint32_t op, T a, T b, T c) {
  using UT = std::make_unsigned_t<T>;
  (void)b, (void)c;
  switch (op) {
#define ONC_EW(number, NAME, name, arity, result, F, I, ...) \
  case number:                                               \
    return static_cast<T>(I);
#include "oncilla/elementwise.def"
#undef ONC_EW
    default:
      return 0;
  }
}

#undef C
#undef SEL
#undef NONE

}  // namespace oncilla::reference::scalar
