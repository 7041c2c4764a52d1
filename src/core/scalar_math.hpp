// The rows of elementwise.def for double: oncilla::scalar_math::sin(x), maximum(a, b) and so on, with the names that tape.hpp gives
// to Values, so that one text, a row's derivative for example, can be a tape or a number. Write such a text inside this namespace
// or one within it: the names then hide those of the C library. A comparison gives 1 or 0; a row that exists for integers only
// gives NaN.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace oncilla::scalar_math {

// Where the value columns are compiled: here sqrt is the library's.
namespace rows {

using std::acos, std::acosh, std::asin, std::asinh, std::atan, std::atan2, std::atanh, std::ceil, std::copysign, std::cos,
    std::cosh, std::erf, std::erfc, std::exp, std::exp2, std::expm1, std::fabs, std::floor, std::fma, std::fmax, std::fmin,
    std::fmod, std::hypot, std::log, std::log10, std::log1p, std::log2, std::nextafter, std::pow, std::rint, std::signbit, std::sin,
    std::sinh, std::sqrt, std::tan, std::tanh, std::trunc;

inline constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

inline double onc_remainder(double a, double b) {
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
// Through the remainder, so that a quotient that rounds up to a whole number does not floor to one too many.
inline double onc_floor_div(double a, double b) {
  if (b == 0) return a / b;
  const double whole = (a - onc_remainder(a, b)) / b;
  return std::floor(whole + 0.5);
}

#include "lib/special/cxx.hpp"

#define T double
#define C(x) static_cast<double>(x)
#define SEL(condition, x, y) ((condition) ? (x) : (y))
#define NONE kNone
#define ONC_SCALAR_ARGS_1 [[maybe_unused]] double a
#define ONC_SCALAR_ARGS_2 [[maybe_unused]] double a, [[maybe_unused]] double b
#define ONC_SCALAR_ARGS_3 double a, double b, double c
#define ONC_EW(number, NAME, name, arity, result, F, ...) \
  inline double row_##number(ONC_SCALAR_ARGS_##arity) { return static_cast<double>(F); }
#include "oncilla/elementwise.def"
#undef ONC_EW
#undef NONE
#undef SEL
#undef C
#undef T

}  // namespace rows

#define ONC_SCALAR_PASS_1 a
#define ONC_SCALAR_PASS_2 a, b
#define ONC_SCALAR_PASS_3 a, b, c
#define ONC_EW(number, NAME, name, arity, ...) \
  inline double name(ONC_SCALAR_ARGS_##arity) { return rows::row_##number(ONC_SCALAR_PASS_##arity); }
#include "oncilla/elementwise.def"
#undef ONC_EW
#undef ONC_SCALAR_PASS_1
#undef ONC_SCALAR_PASS_2
#undef ONC_SCALAR_PASS_3
#undef ONC_SCALAR_ARGS_1
#undef ONC_SCALAR_ARGS_2
#undef ONC_SCALAR_ARGS_3

inline double where(double condition, double b, double c) { return condition != 0 ? b : c; }

}  // namespace oncilla::scalar_math
