// Pointwise ops: the table. Formulas follow PyTorch's documentation of each op.
#include <ATen/native/BinaryOps.h>

#include <cmath>
#include <limits>

#include "torch/rows.hpp"

namespace oncilla::adapter {
namespace {

constexpr double kSqrt1_2 = 0.70710678118654752440, kTwoOverSqrtPi = 1.12837916709551257390, kPi = 3.14159265358979323846;
constexpr double kGeluCubic = 0.044715;

// CPU kernels own the error messages for what makes no sense in a dtype.
void need_integer(const Ctx& c, const char* op) {
  if (c.floating()) throw Declined(std::string(op) + " of floating numbers");
}

Value zero(Ctx& c) { return c.c(0); }
Value square_root_two_pi_inverse(Value v) { return v * (kSqrt1_2 * kTwoOverSqrtPi * 0.5); }  // v / sqrt(2 pi)

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
  return mode == "trunc" ? trunc_div(c.x(0), c.x(1)) : floor_div(c.x(0), c.x(1));
}
// Small whole exponents are products: exact, and the one way for integers.
Value power(Ctx& c) {
  if (c.number(1)) {
    const double e = c.number(1)->toDouble();
    if (e == 1) return c.x(0) + zero(c);
    if (e == 2) return c.x(0) * c.x(0);
    if (e == 3) return c.x(0) * c.x(0) * c.x(0);
    if (c.floating() && e == 0.5) return sqrt(c.x(0));
  }
  if (!c.floating()) throw Declined("a power of integers");
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
Value hypotenuse(Ctx& c) {
  const Value a = abs(c.x(0)), b = abs(c.x(1)), high = maximum(a, b), low = minimum(a, b), ratio = low / high;
  return where(eq(high, zero(c)), high, where(isinf(high), high, high * sqrt(ratio * ratio + 1.0)));
}
Value x_log_y(Ctx& c) { return where(isnan(c.x(1)), c.x(1), where(eq(c.x(0), zero(c)), zero(c), c.x(0) * log(c.x(1)))); }
Value log_add_exp(Ctx& c) {
  const Value a = c.x(0), b = c.x(1);
  return where(logical_and(isinf(a), eq(a, b)), a, maximum(a, b) + log1p(exp(-abs(a - b))));
}
Value sign_bit(Ctx& c, Value v) { return logical_or(lt(v, zero(c)), logical_and(eq(v, zero(c)), lt(reciprocal(v), zero(c)))); }
Value copy_sign(Ctx& c) {
  const Value a = abs(c.x(0));
  return where(sign_bit(c, c.x(1)), -a, a);
}
Value clamp_between(Ctx& c) {
  TORCH_CHECK(c.has(1) || c.has(2), "torch.clamp: At least one of 'min' or 'max' must not be None");
  Value v = c.x(0);
  if (c.has(1)) v = maximum(v, c.x(1));
  if (c.has(2)) v = minimum(v, c.x(2));
  return v;
}
Value clamp_numbers(Ctx& c) {
  TORCH_CHECK(c.given(0) || c.given(1), "torch.clamp: At least one of 'min' or 'max' must not be None");
  for (size_t k : {0, 1}) {
    if (c.given(k) && !c.floating() && !c.scalar(k).isIntegral(true)) throw Declined("integers held between floating numbers");
  }
  Value v = c.x(0);
  if (c.given(0)) v = maximum(v, c.s(size_t{0}));
  if (c.given(1)) v = minimum(v, c.s(1));
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
Value bits_not(Ctx& c) {
  if (c.common == at::kBool) return logical_not(c.x(0));
  need_integer(c, "bitwise_not");
  return bit_not(c.x(0));
}
Value gelu(Ctx& c) {
  const Value x = c.x(0);
  if (c.arg(0).toStringView() == "none") return x * 0.5 * (erf(x * kSqrt1_2) + 1.0);
  return x * 0.5 * (tanh((x + x * x * x * kGeluCubic) * (kSqrt1_2 * kTwoOverSqrtPi)) + 1.0);
}
Value gelu_grad(Ctx& c) {
  const Value g = c.x(0), x = c.x(1);
  if (c.arg(0).toStringView() == "none")
    return g * ((erf(x * kSqrt1_2) + 1.0) * 0.5 + x * square_root_two_pi_inverse(exp(x * x * -0.5)));
  const double beta = kSqrt1_2 * kTwoOverSqrtPi;
  const Value t = tanh((x + x * x * x * kGeluCubic) * beta);
  return g * ((t + 1.0) * 0.5 + x * 0.5 * (1.0 - t * t) * ((x * x * (3 * kGeluCubic) + 1.0) * beta));
}
Value silu_grad(Ctx& c) {
  const Value s = sigmoid(c.x(1));
  return c.x(0) * s * (c.x(1) * (1.0 - s) + 1.0);
}
Value mish_grad(Ctx& c) {
  const Value x = c.x(1), s = sigmoid(x), t = tanh(log1p(exp(x)));
  return c.x(0) * (t + x * s * (1.0 - t * t));
}
Value softplus(Ctx& c) {
  const Value x = c.x(0), beta = c.s(0), scaled = x * beta;
  return where(gt(scaled, c.s(1)), x, log1p(exp(scaled)) / beta);
}
Value softplus_grad(Ctx& c) {
  const Value scaled = c.x(1) * c.s(0);
  return where(gt(scaled, c.s(1)), c.x(0), c.x(0) * sigmoid(scaled));
}
Value elu(Ctx& c) {
  const Value x = c.x(0), scale = c.s(1);
  return where(le(x, zero(c)), expm1(x * c.s(2)) * c.s(0) * scale, x * scale);
}
Value elu_grad(Ctx& c) {  // grad, alpha, scale, input_scale, is_result, self or result
  const Value g = c.x(0), y = c.x(1), alpha = c.s(0), scale = c.s(1), input_scale = c.s(2);
  const Value steep =
      c.arg(3).toBool() ? g * input_scale * (y + alpha * scale) : g * input_scale * alpha * scale * exp(y * input_scale);
  return where(le(y, zero(c)), steep, g * scale);
}
Value hard_sigmoid(Ctx& c, Value x) { return minimum(maximum(x + 3.0, zero(c)), c.c(6)) / 6.0; }
Value hard_swish_grad(Ctx& c) {
  const Value g = c.x(0), x = c.x(1);
  return where(lt(x, c.c(-3)), zero(c), where(le(x, c.c(3)), g * (x / 3.0 + 0.5), g));
}
Value soft_shrink(Ctx& c) {
  const Value x = c.x(0), l = c.s(0);
  return where(gt(x, l), x - l, where(lt(x, -l), x + l, x * 0.0));
}
Value inside(Ctx& c, Value x, Value bound) {
  (void)c;
  return logical_and(ge(x, -bound), le(x, bound));
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
    {"floor_divide", Rule::kBinary, 0, OP(floor_div(A, B))},
    {"remainder.Tensor", Rule::kBinary, 0, OP(remainder(A, B))},
    {"fmod.Tensor", Rule::kBinary, 0, OP(fmod(A, B))},
    {"pow.Tensor_Tensor", Rule::kBinary, 0, power},
    {"pow.Tensor_Scalar", Rule::kBinary, 2, power},
    {"pow.Scalar", Rule::kBinary, 2, power},
    {"maximum", Rule::kBinary, 0, OP(maximum(A, B))},
    {"minimum", Rule::kBinary, 0, OP(minimum(A, B))},
    {"fmax", Rule::kBinary, 0, fmax_of},
    {"fmin", Rule::kBinary, 0, fmin_of},
    {"atan2", Rule::kBinaryFloat, 0, OP(atan2(A, B))},
    {"hypot", Rule::kBinary, 0, hypotenuse},
    {"xlogy.Tensor", Rule::kBinaryFloat, 0, x_log_y},
    {"logaddexp", Rule::kBinary, 0, log_add_exp},
    {"copysign.Tensor", Rule::kBinaryFloat, 0, copy_sign},
    {"heaviside", Rule::kBinary, 0, OP(where(eq(A, zero(c)), B, where(gt(A, zero(c)), c.c(1), A * 0.0)))},
    {"addcmul", Rule::kBinary, 0, add_product},
    {"addcdiv", Rule::kBinary, 0, add_quotient},
    {"lerp.Tensor", Rule::kBinary, 0, OP(interpolate(c, c.x(2)))},
    {"lerp.Scalar", Rule::kBinary, 0, OP(interpolate(c, c.s(0)))},
    {"clamp", Rule::kUnary, 0, clamp_numbers},
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
    {"signbit", Rule::kUnaryBool, 0, OP(c.floating() ? sign_bit(c, A) : lt(A, zero(c)))},
    // Unary
    {"abs", Rule::kUnary, 0, OP(abs(A))},
    {"neg", Rule::kUnary, 0, negative},
    {"sign", Rule::kUnary, 0, OP(sign(A))},
    {"sgn", Rule::kUnary, 0, OP(sign(A))},
    {"ceil", Rule::kUnary, 0, OP(ceil(A))},
    {"floor", Rule::kUnary, 0, OP(floor(A))},
    {"round", Rule::kUnary, 0, OP(round(A))},
    {"trunc", Rule::kUnary, 0, OP(trunc(A))},
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
    {"sinc", Rule::kUnaryFloat, 0, OP(where(eq(A, zero(c)), c.c(1), sin(A* kPi) / (A * kPi)))},
    {"rad2deg", Rule::kUnaryFloat, 0, OP(A * (180 / kPi))},
    {"deg2rad", Rule::kUnaryFloat, 0, OP(A*(kPi / 180))},
    // Activations
    {"silu", Rule::kUnary, 0, OP(A* sigmoid(A))},
    {"gelu", Rule::kUnary, 0, gelu},
    {"mish", Rule::kUnary, 0, OP(A* tanh(log1p(exp(A))))},
    {"hardtanh", Rule::kUnary, 0, OP(minimum(maximum(A, c.s(0)), c.s(1)))},
    {"hardsigmoid", Rule::kUnary, 0, OP(hard_sigmoid(c, A))},
    {"hardswish", Rule::kUnary, 0, OP(A* hard_sigmoid(c, A))},
    {"leaky_relu", Rule::kUnary, 0, OP(where(gt(A, zero(c)), A, A* c.s(0)))},
    {"elu", Rule::kUnary, 0, elu},
    {"softplus", Rule::kUnary, 0, softplus},
    {"softshrink", Rule::kUnary, 0, soft_shrink},
    {"hardshrink", Rule::kUnary, 0, OP(where(inside(c, A, c.s(0)), zero(c), A))},
    {"threshold", Rule::kUnary, 0, OP(where(le(A, c.s(0)), c.s(1), A))},
    {"_prelu_kernel", Rule::kBinary, 0, OP(where(gt(A, zero(c)), A, A* B))},
    // Their gradients
    {"threshold_backward", Rule::kBinary, 0, OP(where(le(B, c.s(0)), zero(c), A))},
    {"sigmoid_backward", Rule::kBinary, 0, OP(A * (1.0 - B) * B)},
    {"tanh_backward", Rule::kBinary, 0, OP(A * (1.0 - B * B))},
    {"gelu_backward", Rule::kBinary, 0, gelu_grad},
    {"silu_backward", Rule::kBinary, 0, silu_grad},
    {"mish_backward", Rule::kBinary, 0, mish_grad},
    {"hardtanh_backward", Rule::kBinary, 0, OP(where(logical_or(le(B, c.s(0)), ge(B, c.s(1))), zero(c), A))},
    {"hardsigmoid_backward", Rule::kBinary, 0, OP(where(logical_and(gt(B, c.c(-3)), lt(B, c.c(3))), A / 6.0, zero(c)))},
    {"hardswish_backward", Rule::kBinary, 0, hard_swish_grad},
    {"leaky_relu_backward", Rule::kBinary, 0, OP(where(gt(B, zero(c)), A, A* c.s(0)))},
    {"elu_backward", Rule::kBinary, 0, elu_grad},
    {"softplus_backward", Rule::kBinary, 0, softplus_grad},
    {"softshrink_backward", Rule::kBinary, 0, OP(where(inside(c, B, c.s(0)), zero(c), A))},
    {"hardshrink_backward", Rule::kBinary, 0, OP(where(inside(c, B, c.s(0)), zero(c), A))},
    {"logit_backward", Rule::kBinary, 0, logit_grad},
};
#undef OP
#undef A
#undef B

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) { register_rows(m, kRows); }

}  // namespace oncilla::adapter
