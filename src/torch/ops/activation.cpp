// Activations and their gradients: the table, and those with more than one result.
#include "torch/kernel.hpp"

#include <ATen/ops/_prelu_kernel_backward_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/log_sigmoid_backward_ops.h>
#include <ATen/ops/log_sigmoid_forward_ops.h>

#include <limits>

#include "torch/rows.hpp"

namespace oncilla::adapter {
namespace {

constexpr double kSqrt1_2 = 0.70710678118654752440, kTwoOverSqrtPi = 1.12837916709551257390;
constexpr double kGeluCubic = 0.044715;

Value zero(Ctx& c) { return c.c(0); }
Value square_root_two_pi_inverse(Value v) { return v * (kSqrt1_2 * kTwoOverSqrtPi * 0.5); }  // v / sqrt(2 pi)

bool is_exact(const Ctx& c) {
  const auto approximate = c.arg(0).toStringView();
  TORCH_CHECK(approximate == "none" || approximate == "tanh", "approximate argument must be either none or tanh.");
  return approximate == "none";
}
Value gelu(Ctx& c) {
  const Value x = c.x(0);
  if (is_exact(c)) return x * 0.5 * (erf(x * kSqrt1_2) + 1.0);
  return x * 0.5 * (tanh((x + x * x * x * kGeluCubic) * (kSqrt1_2 * kTwoOverSqrtPi)) + 1.0);
}
Value gelu_grad(Ctx& c) {
  const Value g = c.x(0), x = c.x(1);
  if (is_exact(c)) return g * ((erf(x * kSqrt1_2) + 1.0) * 0.5 + x * square_root_two_pi_inverse(exp(x * x * -0.5)));
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
  const double bound = c.scalar(0).toDouble(),
               most = c.common == at::kDouble ? std::numeric_limits<double>::max() : std::numeric_limits<float>::max();
  TORCH_CHECK(bound >= 0 && bound <= most, "lambda must be in range [0, ", most, "] for input dtype ", c.common, ", but found ",
              bound);
  const Value x = c.x(0), l = c.s(0);
  return where(gt(x, l), x - l, where(lt(x, -l), x + l, x * 0.0));
}
Value inside(Ctx& c, Value x, Value bound) {
  (void)c;
  return logical_and(ge(x, -bound), le(x, bound));
}

#define OP(expression) [](Ctx& c) -> Value { return expression; }
#define A c.x(0)
#define B c.x(1)
const Row kRows[] = {
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
    {"_add_relu.Tensor", Rule::kBinary, 0, OP(maximum(A + c.s(0) * B, zero(c)))},
    {"_add_relu.Scalar", Rule::kBinary, 2, OP(maximum(A + c.s(0) * B, zero(c)))},
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
};
#undef OP
#undef A
#undef B

std::tuple<at::Tensor, at::Tensor> log_sigmoid_forward(const at::Tensor& self) {
  const at::Tensor out = pointwise(Rule::kUnary, {}, self, {}, [](Ctx& c) { return log_sigmoid(c.x(0)); });
  return {out, at::empty({0}, self.options())};
}
at::Tensor log_sigmoid_grad(const at::Tensor& grad, const at::Tensor& self, const at::Tensor&) {
  return pointwise(Rule::kBinary, {}, {grad, self}, {}, [](Ctx& c) { return c.x(0) * sigmoid(-c.x(1)); });
}

std::tuple<at::Tensor, at::Tensor> prelu_grad(const at::Tensor& grad, const at::Tensor& self, const at::Tensor& weight) {
  return {
      pointwise(Rule::kBinary, {}, {grad, self, weight}, {},
                [](Ctx& c) { return where(gt(c.x(1), c.c(0)), c.x(0), c.x(0) * c.x(2)); }),
      pointwise(Rule::kBinary, {}, {grad, self}, {}, [](Ctx& c) { return where(gt(c.x(1), c.c(0)), c.c(0), c.x(0) * c.x(1)); })};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  register_rows(m, kRows);
  kernel<at::_ops::log_sigmoid_forward, log_sigmoid_forward>(m);
  kernel<at::_ops::log_sigmoid_backward, log_sigmoid_grad>(m);
  kernel<at::_ops::_prelu_kernel_backward, prelu_grad>(m);
}

}  // namespace oncilla::adapter
