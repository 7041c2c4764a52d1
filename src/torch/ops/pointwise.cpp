// Pointwise ops: the table. Formulas follow PyTorch's documentation of each op.
#include <ATen/native/BinaryOps.h>
#include <ATen/ops/bitwise_left_shift.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/floor_divide.h>

#include <cmath>
#include <limits>

#include "torch/rows.hpp"

namespace oncilla::adapter {
namespace {

constexpr double kPi = 3.14159265358979323846;

// CPU kernels own the error messages for what makes no sense in a dtype.
void need_integer(const Ctx& c, const char* op) {
  if (c.floating()) throw Declined(std::string(op) + " of floating numbers");
}
void need_floating(const Ctx& c, const char* op) {
  if (!c.floating()) throw Declined(std::string(op) + " of integers");
}

// A zero that the host knows; others in a tensor give 0.
void need_divisor(const Ctx& c) { TORCH_CHECK(c.floating() || !c.number(1) || c.number(1)->toDouble() != 0, "ZeroDivisionError"); }

Value zero(Ctx& c) { return c.c(0); }

Value add(Ctx& c) {
  at::native::alpha_check(c.common, c.scalar(0));
  return c.x(0) + c.s(0) * c.x(1);
}
Value sub(Ctx& c) {
  TORCH_CHECK(
      c.common != at::kBool,
      "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.");
  at::native::alpha_check(c.common, c.scalar(0));
  return c.x(0) - c.s(0) * c.x(1);
}
Value rsub(Ctx& c) {
  TORCH_CHECK(
      c.common != at::kBool,
      "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.");
  at::native::alpha_check(c.common, c.scalar(0));
  return c.x(1) - c.s(0) * c.x(0);
}
Value divide(Ctx& c) {
  if (!c.given(0)) return c.x(0) / c.x(1);
  const auto mode = c.arg(0).toStringView();
  TORCH_CHECK(mode == "trunc" || mode == "floor", "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '",
              mode, "'");
  need_divisor(c);
  return mode == "trunc" ? trunc_div(c.x(0), c.x(1)) : floor_div(c.x(0), c.x(1));
}
// Small whole exponents are products: exact, and the one way for integers.
Value power(Ctx& c) {
  if (c.number(1)) {
    const double e = c.number(1)->toDouble();
    TORCH_CHECK(c.floating() || e >= 0, "Integers to negative integer powers are not allowed.");
    if (e == 1) return c.x(0) + zero(c);
    if (e == 2) return c.x(0) * c.x(0);
    if (e == 3) return c.x(0) * c.x(0) * c.x(0);
    if (c.floating() && e == 0.5) return sqrt(c.x(0));
  }
  if (c.common == at::kBool) throw Declined("a power of booleans");
  return pow(c.x(0), c.x(1));
}
Value fmax_of(Ctx& c) {
  const Value a = c.x(0), b = c.x(1);
  return c.floating() ? where(isnan(a), b, where(isnan(b), a, maximum(a, b))) : maximum(a, b);
}
Value fmin_of(Ctx& c) {
  const Value a = c.x(0), b = c.x(1);
  return c.floating() ? where(isnan(a), b, where(isnan(b), a, minimum(a, b))) : minimum(a, b);
}
Value next_after(Ctx& c) {
  // The tape holds halves in float32, whose neighbours are others.
  if (c.common != at::kFloat && c.common != at::kDouble) throw Declined(std::string("nextafter of ") + c10::toString(c.common));
  return nextafter(c.x(0), c.x(1));
}
Value clamp_between(Ctx& c) {
  TORCH_CHECK(c.has(1) || c.has(2), "torch.clamp: At least one of 'min' or 'max' must not be None");
  Value v = c.x(0);
  if (c.has(1)) v = maximum(v, c.x(1));
  if (c.has(2)) v = minimum(v, c.x(2));
  return v;
}
Value add_product(Ctx& c) { return c.x(0) + c.s(0) * c.x(1) * c.x(2); }
Value add_quotient(Ctx& c) {
  TORCH_CHECK(c.floating(),
              "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true division "
              "of tensor1 and tensor2.");
  return c.x(0) + c.s(0) * (c.x(1) / c.x(2));
}
Value interpolate(Ctx& c, Value weight) {
  const Value span = c.x(1) - c.x(0);
  return where(lt(abs(weight), c.c(0.5)), c.x(0) + weight * span, c.x(1) - span * (1.0 - weight));
}

Value negative(Ctx& c) {
  TORCH_CHECK(c.common != at::kBool,
              "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or "
              "`logical_not()` operator instead.");
  return -c.x(0);
}
// PyTorch's sign of NaN is 0.
Value sign_of(Ctx& c) { return c.floating() ? where(isnan(c.x(0)), zero(c), sign(c.x(0))) : sign(c.x(0)); }
Value bits_not(Ctx& c) {
  if (c.common == at::kBool) return logical_not(c.x(0));
  need_integer(c, "bitwise_not");
  return bit_not(c.x(0));
}
Value logit(Ctx& c) {
  Value x = c.x(0);
  if (c.given(0)) {
    const Value eps = c.s(0);
    x = minimum(maximum(x, eps), 1.0 - eps);
  }
  return log(x / (1.0 - x));
}
Value logit_grad(Ctx& c) {
  const Value g = c.x(0), x = c.x(1), slope = g / (x * (1.0 - x));
  const Value low = c.given(0) ? c.s(0) : zero(c), high = 1.0 - low;
  const Value out = c.given(0) ? zero(c) : c.c(std::numeric_limits<double>::quiet_NaN());
  return where(logical_and(ge(x, low), le(x, high)), slope, out);
}
Value round_to(Ctx& c) {
  const int64_t decimals = c.arg(0).toInt();
  if (decimals == 0) return round(c.x(0));
  need_floating(c, "rounding to decimals");
  const Value scale = c.s(c10::Scalar(std::pow(10.0, static_cast<double>(std::abs(decimals)))));
  return decimals > 0 ? round(c.x(0) * scale) / scale : round(c.x(0) / scale) * scale;
}
Value nan_to_number(Ctx& c) {
  if (!c.floating()) return c.x(0) + zero(c);
  const Value x = c.x(0);
  const double largest = c.common == at::kDouble     ? std::numeric_limits<double>::max()
                         : c.common == at::kHalf     ? 65504.0
                         : c.common == at::kBFloat16 ? 3.3895313892515355e38
                                                     : static_cast<double>(std::numeric_limits<float>::max());
  const Value nan = c.given(0) ? c.s(0) : zero(c);
  const Value high = c.given(1) ? c.s(1) : c.s(c10::Scalar(largest)), low = c.given(2) ? c.s(2) : c.s(c10::Scalar(-largest));
  return where(isnan(x), nan, where(isinf(x), where(gt(x, zero(c)), high, low), x));
}

#define OP(expression) [](Ctx& c) -> Value { return expression; }
#define A c.x(0)
#define B c.x(1)
const Row kRows[] = {
    // Arithmetic
    {"add.Tensor", Rule::kBinary, 0, add},
    {"sub.Tensor", Rule::kBinary, 0, sub},
    {"rsub.Tensor", Rule::kBinary, 0, rsub},
    {"mul.Tensor", Rule::kBinary, 0, OP(A* B)},
    {"div.Tensor", Rule::kBinaryFloat, 0, OP(A / B)},
    {"div.Tensor_mode", Rule::kDivision, 0, divide},
    {"floor_divide", Rule::kBinary, 0, OP((need_divisor(c), floor_div(A, B)))},
    {"remainder.Tensor", Rule::kBinary, 0, OP((need_divisor(c), remainder(A, B)))},
    {"remainder.Scalar_Tensor", Rule::kBinary, 1, OP(remainder(A, B))},
    {"fmod.Tensor", Rule::kBinary, 0, OP((need_divisor(c), fmod(A, B)))},
    {"pow.Tensor_Tensor", Rule::kBinary, 0, power},
    {"pow.Tensor_Scalar", Rule::kBinary, 2, power},
    {"pow.Scalar", Rule::kBinary, 2, power},
    {"maximum", Rule::kBinary, 0, OP(maximum(A, B))},
    {"minimum", Rule::kBinary, 0, OP(minimum(A, B))},
    {"fmax", Rule::kBinary, 0, fmax_of},
    {"fmin", Rule::kBinary, 0, fmin_of},
    {"atan2", Rule::kBinaryFloat, 0, OP(atan2(A, B))},
    {"hypot", Rule::kBinary, 0, OP((need_floating(c, "hypot"), hypot(A, B)))},
    {"xlogy.Tensor", Rule::kBinaryFloat, 0, OP(xlogy(A, B))},
    {"logaddexp", Rule::kBinary, 0, OP((need_floating(c, "logaddexp"), logaddexp(A, B)))},
    {"logaddexp2", Rule::kBinary, 0, OP((need_floating(c, "logaddexp2"), logaddexp2(A, B)))},
    {"nextafter", Rule::kBinary, 0, next_after},
    {"copysign.Tensor", Rule::kBinaryFloat, 0, OP(copysign(A, B))},
    {"heaviside", Rule::kUnary, 0, OP(heaviside(A, B))},  // does not promote
    {"addcmul", Rule::kBinary, 0, add_product},
    {"addcdiv", Rule::kBinary, 0, add_quotient},
    {"lerp.Tensor", Rule::kBinary, 0, OP(interpolate(c, c.x(2)))},
    {"lerp.Scalar", Rule::kBinary, 0, OP(interpolate(c, c.s(0)))},
    {"clamp.Tensor", Rule::kBinary, 0, clamp_between},
    {"clamp_min", Rule::kBinary, 2, OP(maximum(A, B))},
    {"clamp_min.Tensor", Rule::kBinary, 0, OP(maximum(A, B))},
    {"clamp_max", Rule::kBinary, 2, OP(minimum(A, B))},
    {"clamp_max.Tensor", Rule::kBinary, 0, OP(minimum(A, B))},
    // Bits
    {"bitwise_and.Tensor", Rule::kBinary, 0, OP((need_integer(c, "bitwise_and"), bit_and(A, B)))},
    {"bitwise_or.Tensor", Rule::kBinary, 0, OP((need_integer(c, "bitwise_or"), bit_or(A, B)))},
    {"bitwise_xor.Tensor", Rule::kBinary, 0, OP((need_integer(c, "bitwise_xor"), bit_xor(A, B)))},
    {"bitwise_left_shift.Tensor", Rule::kBinary, 0, OP((need_integer(c, "bitwise_left_shift"), shift_left(A, B)))},
    {"bitwise_right_shift.Tensor", Rule::kBinary, 0, OP((need_integer(c, "bitwise_right_shift"), shift_right(A, B)))},
    {"__lshift__.Tensor", Rule::kBinary, 0, OP((need_integer(c, "__lshift__"), shift_left(A, B)))},
    {"__lshift__.Scalar", Rule::kBinary, 2, OP((need_integer(c, "__lshift__"), shift_left(A, B)))},
    {"__rshift__.Tensor", Rule::kBinary, 0, OP((need_integer(c, "__rshift__"), shift_right(A, B)))},
    {"__rshift__.Scalar", Rule::kBinary, 2, OP((need_integer(c, "__rshift__"), shift_right(A, B)))},
    {"gcd", Rule::kBinary, 0, OP((need_integer(c, "gcd"), gcd(A, B)))},
    {"lcm", Rule::kBinary, 0, OP((need_integer(c, "lcm"), lcm(A, B)))},
    {"bitwise_not", Rule::kUnary, 0, bits_not},
    // Comparisons and logic
    {"eq.Tensor", Rule::kCompare, 0, OP(eq(A, B))},
    {"eq.Scalar", Rule::kCompare, 2, OP(eq(A, B))},
    {"ne.Tensor", Rule::kCompare, 0, OP(ne(A, B))},
    {"ne.Scalar", Rule::kCompare, 2, OP(ne(A, B))},
    {"lt.Tensor", Rule::kCompare, 0, OP(lt(A, B))},
    {"lt.Scalar", Rule::kCompare, 2, OP(lt(A, B))},
    {"le.Tensor", Rule::kCompare, 0, OP(le(A, B))},
    {"le.Scalar", Rule::kCompare, 2, OP(le(A, B))},
    {"gt.Tensor", Rule::kCompare, 0, OP(gt(A, B))},
    {"gt.Scalar", Rule::kCompare, 2, OP(gt(A, B))},
    {"ge.Tensor", Rule::kCompare, 0, OP(ge(A, B))},
    {"ge.Scalar", Rule::kCompare, 2, OP(ge(A, B))},
    {"logical_and", Rule::kCompare, 0, OP(logical_and(A, B))},
    {"logical_or", Rule::kCompare, 0, OP(logical_or(A, B))},
    {"logical_xor", Rule::kCompare, 0, OP(logical_xor(A, B))},
    {"logical_not", Rule::kUnaryBool, 0, OP(logical_not(A))},
    {"isnan", Rule::kUnaryBool, 0, OP(isnan(A))},
    {"isinf", Rule::kUnaryBool, 0, OP(isinf(A))},
    {"isposinf", Rule::kUnaryBool, 0, OP(logical_and(isinf(A), gt(A, zero(c))))},
    {"isneginf", Rule::kUnaryBool, 0, OP(logical_and(isinf(A), lt(A, zero(c))))},
    {"signbit", Rule::kUnaryBool, 0, OP(signbit(A))},
    // Unary
    {"abs", Rule::kUnary, 0, OP(abs(A))},
    {"neg", Rule::kUnary, 0, negative},
    {"sign", Rule::kUnary, 0, sign_of},
    {"sgn", Rule::kUnary, 0, sign_of},
    {"ceil", Rule::kUnary, 0, OP(ceil(A))},
    {"floor", Rule::kUnary, 0, OP(floor(A))},
    {"round", Rule::kUnary, 0, OP(round(A))},
    {"round.decimals", Rule::kUnary, 0, round_to},
    {"trunc", Rule::kUnary, 0, OP(trunc(A))},
    {"angle", Rule::kUnaryFloat, 0, OP(where(isnan(A), A, where(lt(A, zero(c)), c.c(kPi), zero(c))))},
    {"frac", Rule::kUnary, 0, OP(A - trunc(A))},
    {"relu", Rule::kUnary, 0, OP(maximum(A, zero(c)))},
    {"nan_to_num", Rule::kUnary, 0, nan_to_number},
    {"sqrt", Rule::kUnaryFloat, 0, OP(sqrt(A))},
    {"rsqrt", Rule::kUnaryFloat, 0, OP(rsqrt(A))},
    {"reciprocal", Rule::kUnaryFloat, 0, OP(reciprocal(A))},
    {"exp", Rule::kUnaryFloat, 0, OP(exp(A))},
    {"exp2", Rule::kUnaryFloat, 0, OP(exp2(A))},
    {"expm1", Rule::kUnaryFloat, 0, OP(expm1(A))},
    {"log", Rule::kUnaryFloat, 0, OP(log(A))},
    {"log2", Rule::kUnaryFloat, 0, OP(log2(A))},
    {"log10", Rule::kUnaryFloat, 0, OP(log10(A))},
    {"log1p", Rule::kUnaryFloat, 0, OP(log1p(A))},
    {"sin", Rule::kUnaryFloat, 0, OP(sin(A))},
    {"cos", Rule::kUnaryFloat, 0, OP(cos(A))},
    {"tan", Rule::kUnaryFloat, 0, OP(tan(A))},
    {"asin", Rule::kUnaryFloat, 0, OP(asin(A))},
    {"acos", Rule::kUnaryFloat, 0, OP(acos(A))},
    {"atan", Rule::kUnaryFloat, 0, OP(atan(A))},
    {"sinh", Rule::kUnaryFloat, 0, OP(sinh(A))},
    {"cosh", Rule::kUnaryFloat, 0, OP(cosh(A))},
    {"tanh", Rule::kUnaryFloat, 0, OP(tanh(A))},
    {"asinh", Rule::kUnaryFloat, 0, OP(asinh(A))},
    {"acosh", Rule::kUnaryFloat, 0, OP(acosh(A))},
    {"atanh", Rule::kUnaryFloat, 0, OP(atanh(A))},
    {"erf", Rule::kUnaryFloat, 0, OP(erf(A))},
    {"erfc", Rule::kUnaryFloat, 0, OP(erfc(A))},
    {"sigmoid", Rule::kUnaryFloat, 0, OP(sigmoid(A))},
    {"logit", Rule::kUnaryFloat, 0, logit},
    {"logit_backward", Rule::kBinary, 0, logit_grad},
    {"sinc", Rule::kUnaryFloat, 0, OP(sinc(A))},
    {"rad2deg", Rule::kUnaryFloat, 0, OP(A * (180 / kPi))},
    {"deg2rad", Rule::kUnaryFloat, 0, OP(A*(kPi / 180))},
};
#undef OP
#undef A
#undef B

// In-place overloads whose names their functional overloads do not have.
at::Tensor& floor_divide_in_place(at::Tensor& self, const at::Tensor& other) { return at::floor_divide_out(self, self, other); }
at::Tensor& shift_left_in_place(at::Tensor& self, const at::Tensor& other) { return self.bitwise_left_shift_(other); }
at::Tensor& shift_left_number(at::Tensor& self, const at::Scalar& other) { return self.bitwise_left_shift_(other); }
at::Tensor& shift_right_in_place(at::Tensor& self, const at::Tensor& other) { return self.bitwise_right_shift_(other); }
at::Tensor& shift_right_number(at::Tensor& self, const at::Scalar& other) { return self.bitwise_right_shift_(other); }

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  register_rows(m, kRows);
  m.impl("floor_divide_.Tensor", &floor_divide_in_place);
  m.impl("__ilshift__.Tensor", &shift_left_in_place);
  m.impl("__ilshift__.Scalar", &shift_left_number);
  m.impl("__irshift__.Tensor", &shift_right_in_place);
  m.impl("__irshift__.Scalar", &shift_right_number);
}

}  // namespace oncilla::adapter
