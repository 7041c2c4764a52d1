// Complex numbers: the table of their pointwise ops, and making them of parts.
#include "torch/complex.hpp"

#include <ATen/ExpandUtils.h>
#include <ATen/native/Resize.h>
#include <ATen/native/TypeProperties.h>
#include <ATen/ops/complex_ops.h>
#include <ATen/ops/conj_physical_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/polar_ops.h>
#include <ATen/ops/view_as_real.h>

#include "torch/kernel.hpp"

namespace oncilla::adapter {

Pair Pairs::number(const c10::Scalar& value) {
  if (!value.isComplex()) return {c.s(value), c.c(0)};
  const auto number = value.toComplexDouble();
  return {c.s(c10::Scalar(number.real())), c.s(c10::Scalar(number.imag()))};
}

namespace {

using Result = ComplexRow::Result;

constexpr double kLn2 = 0.69314718055994530942, kLn10 = 2.30258509299404568402;

Pair operator+(Pair a, Pair b) { return {a.re + b.re, a.im + b.im}; }
Pair operator-(Pair a, Pair b) { return {a.re - b.re, a.im - b.im}; }
Pair operator*(Pair a, Pair b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
// Smith, "Algorithm 116: complex division": dividing by the larger part first keeps squares from overflowing.
Pair operator/(Pair a, Pair b) {
  const Value wide = ge(abs(b.re), abs(b.im));
  const Value large = where(wide, b.re, b.im), small = where(wide, b.im, b.re), ratio = small / large;
  // By a zero the ratio is no number, though the quotient's parts may be infinite.
  const Value zero = eq(large, large * 0.0), r = where(zero, large, ratio), whole = large + small * r;
  const Value first = where(wide, a.re, a.im), second = where(wide, a.im, a.re);
  const Value im = (second - first * r) / whole;
  return {(first + second * r) / whole, where(wide, im, -im)};
}
Value magnitude(Pair a) { return hypot(a.re, a.im); }
Pair sign_of(Pairs& p) {
  const Pair z = p.x(0);
  const Value size = magnitude(z), none = eq(size, p.c.c(0)), by = where(none, p.c.c(1), size);
  return {z.re / by, z.im / by};
}
Pair exponential(Pair z) {
  const Value size = exp(z.re);
  return {size * cos(z.im), size * sin(z.im)};
}
Pair sine(Pair z) { return {sin(z.re) * cosh(z.im), cos(z.re) * sinh(z.im)}; }
Pair cosine(Pair z) { return {cos(z.re) * cosh(z.im), -(sin(z.re) * sinh(z.im))}; }
// i z and its inverse turn a circular function into a hyperbolic one: sinh z = -i sin(i z).
Pair turned(Pair z) { return {-z.im, z.re}; }
Pair turned_back(Pair z) { return {z.im, -z.re}; }
// Kahan, "Branch cuts for complex elementary functions": nothing cancels near a pole. Squares overflow where tanh is long +-1.
Pair hyperbolic_tangent(Pair z) {
  const Value t = tan(z.im), s = sinh(z.re), beta = t * t + 1.0, whole = beta * s * s + 1.0;
  const Value far = gt(abs(z.re), z.re * 0.0 + 20.0);
  return {where(far, sign(z.re), beta * sqrt(s * s + 1.0) * s / whole), where(far, z.im * 0.0, t / whole)};
}
// Kahan, "Branch cuts for complex elementary functions": the root of the larger half, so that nothing cancels.
Pair square_root(Pair z) {
  const Value none = z.re * 0.0, right = sqrt((abs(z.re) + magnitude(z)) * 0.5);
  const Value other = where(eq(right, none), none, z.im / (right + right)), forward = ge(z.re, none);
  return {where(forward, right, abs(other)), where(forward, other, copysign(right, z.im))};
}
Pair scaled_log(Pair z, double factor) { return {log(magnitude(z)) * factor, atan2(z.im, z.re) * factor}; }
// Small whole exponents are products; others, with their special cases at 0, are left to the CPU.
Pair power(Pairs& p) {
  const Pair z = p.x(0);
  const auto& exponent = p.given(1);
  if (exponent && exponent->isIntegral(false)) {
    if (exponent->toLong() == 1) return z;
    if (exponent->toLong() == 2) return z * z;
    if (exponent->toLong() == 3) return z * z * z;
  }
  throw Declined("a complex power other than 1, 2 and 3");
}
Pair conjugate(Pair z) { return {z.re, -z.im}; }
Pair from_one(Pair z) { return {1.0 - z.re, -z.im}; }
Value nonzero(Pair z) { return logical_or(ne(z.re, z.re * 0.0), ne(z.im, z.im * 0.0)); }

#define OP(expression) [](Pairs& p) -> Pair { return expression; }
#define A p.x(0)
#define B p.x(1)
#define EQUAL logical_and(eq(A.re, B.re), eq(A.im, B.im))
const ComplexRow kRows[] = {
    {"add.Tensor", Result::kComplex, OP(A + p.s(0) * B)},
    {"sub.Tensor", Result::kComplex, OP(A - p.s(0) * B)},
    {"rsub.Tensor", Result::kComplex, OP(B - p.s(0) * A)},
    {"mul.Tensor", Result::kComplex, OP(A* B)},
    {"div.Tensor", Result::kComplex, OP(A / B)},
    {"addcmul", Result::kComplex, OP(A + p.s(0) * B * p.x(2))},
    {"addcdiv", Result::kComplex, OP(A + p.s(0) * (B / p.x(2)))},
    {"neg", Result::kComplex, OP((Pair{-A.re, -A.im}))},
    {"conj_physical", Result::kComplex, OP(conjugate(A))},
    {"pow.Tensor_Scalar", Result::kComplex, power},
    {"tanh_backward", Result::kComplex, OP(A* conjugate(from_one(B* B)))},
    {"sigmoid_backward", Result::kComplex, OP(A* conjugate(from_one(B) * B))},
    {"reciprocal", Result::kComplex, OP((Pair{p.c.c(1), p.c.c(0)}) / A)},
    {"sgn", Result::kComplex, sign_of},
    {"exp", Result::kComplex, OP(exponential(A))},
    {"exp2", Result::kComplex, OP(exponential(Pair{A.re * kLn2, A.im* kLn2}))},
    {"log", Result::kComplex, OP(scaled_log(A, 1))},
    {"log2", Result::kComplex, OP(scaled_log(A, 1 / kLn2))},
    {"log10", Result::kComplex, OP(scaled_log(A, 1 / kLn10))},
    {"sqrt", Result::kComplex, OP(square_root(A))},
    {"rsqrt", Result::kComplex, OP((Pair{p.c.c(1), p.c.c(0)}) / square_root(A))},
    {"sin", Result::kComplex, OP(sine(A))},
    {"cos", Result::kComplex, OP(cosine(A))},
    {"sinh", Result::kComplex, OP(turned_back(sine(turned(A))))},
    {"cosh", Result::kComplex, OP(cosine(turned(A)))},
    {"tanh", Result::kComplex, OP(hyperbolic_tangent(A))},
    {"tan", Result::kComplex, OP(turned_back(hyperbolic_tangent(turned(A))))},
    {"sigmoid", Result::kComplex, OP((Pair{p.c.c(1), p.c.c(0)}) / (Pair{p.c.c(1), p.c.c(0)} + exponential(Pair{-A.re, -A.im})))},
    {"logical_not", Result::kBool, OP((Pair{logical_not(nonzero(A)), {}}))},
    {"logical_and", Result::kBool, OP((Pair{logical_and(nonzero(A), nonzero(B)), {}}))},
    {"logical_or", Result::kBool, OP((Pair{logical_or(nonzero(A), nonzero(B)), {}}))},
    {"logical_xor", Result::kBool, OP((Pair{logical_xor(nonzero(A), nonzero(B)), {}}))},
    {"isnan", Result::kBool, OP((Pair{logical_or(isnan(A.re), isnan(A.im)), {}}))},
    {"isinf", Result::kBool, OP((Pair{logical_or(isinf(A.re), isinf(A.im)), {}}))},
    {"abs", Result::kReal, OP((Pair{magnitude(A), {}}))},
    {"angle", Result::kReal, OP((Pair{atan2(A.im, A.re), {}}))},
    {"eq.Tensor", Result::kBool, OP((Pair{EQUAL, {}}))},
    {"eq.Scalar", Result::kBool, OP((Pair{EQUAL, {}}))},
    {"ne.Tensor", Result::kBool, OP((Pair{logical_not(EQUAL), {}}))},
    {"ne.Scalar", Result::kBool, OP((Pair{logical_not(EQUAL), {}}))},
};
#undef OP
#undef A
#undef B
#undef EQUAL

std::array<at::Tensor, 2> parts(const at::Tensor& t) {
  const at::Tensor view = at::view_as_real(t);
  return {view.select(-1, 0), view.select(-1, 1)};
}

}  // namespace

const ComplexRow* complex_row(std::string_view op) {
  for (const ComplexRow& row : kRows) {
    if (op == row.op) return &row;
  }
  return nullptr;
}

at::Tensor complex_pointwise(const ComplexRow& row, const at::Tensor& out, at::ArrayRef<at::Tensor> operands,
                             at::ArrayRef<c10::IValue> args) {
  at::native::ResultTypeState state{};
  std::vector<int64_t> sizes;
  const at::Tensor* on_device = nullptr;
  for (const at::Tensor& t : operands) {
    state = at::native::update_result_type_state(t, state);
    sizes = at::infer_size(sizes, t.sizes());
    if (!t.is_cpu()) on_device = &t;
    TORCH_CHECK(!t.is_cpu() || t.dim() == 0, "Expected all tensors to be on the same device, but one is on ", t.device());
  }
  const at::ScalarType common = at::native::result_type(state), real = c10::toRealValueType(common);
  need_dtype(real);
  const at::ScalarType type = row.result == Result::kComplex ? common : row.result == Result::kReal ? real : at::kBool;
  if (out.defined()) {
    TORCH_CHECK(at::canCast(type, out.scalar_type()), "result type ", type, " can't be cast to the desired output type ",
                out.scalar_type());
    at::native::resize_output(out, sizes);
  }
  const bool direct = out.defined() && out.scalar_type() == type;
  const at::Tensor to = direct ? out : at::empty(sizes, on_device->options().dtype(type));
  if (to.numel() > 0) {
    at::TensorIteratorConfig config;
    config.set_check_mem_overlap(false).check_all_same_dtype(false).resize_outputs(false);
    // The iterator keeps no reference to its operands.
    std::vector<at::Tensor> tensors;
    auto both = [&](const at::Tensor& t) {
      for (const at::Tensor& part : parts(t)) tensors.push_back(part);
    };
    if (type == common) {
      both(to);
    } else {
      tensors.push_back(to);
    }
    const size_t outputs = tensors.size();
    for (const at::Tensor& t : operands) {
      if (t.is_cpu()) continue;  // a number: a run-time scalar for each part
      if (t.is_complex()) {
        both(t);
      } else {
        tensors.push_back(t);
      }
    }
    for (size_t i = 0; i < tensors.size(); ++i) i < outputs ? config.add_output(tensors[i]) : config.add_const_input(tensors[i]);
    auto iter = config.build();
    pointwise(iter, real, args, [&](Ctx& c) {
      Pairs pairs(c, args);
      size_t next = 0;
      for (const at::Tensor& t : operands) {
        if (t.is_cpu()) {
          pairs.add(pairs.number(t.item()), t.item());
        } else {
          pairs.add({c.x(next), t.is_complex() ? c.x(next + 1) : c.c(0)});
          next += t.is_complex() ? 2 : 1;
        }
      }
      const Pair result = row.fn(pairs);
      c.out(result.re);
      if (result.im.tape != nullptr) c.out(result.im);
      return Value();
    });
  }
  if (out.defined() && !direct) out.copy_(to);
  return out.defined() ? out : to;
}

namespace {

// Both parts as they are: the tapes below are real.
void check_parts(const at::Tensor& a, const at::Tensor& b, const at::Tensor& out) {
  TORCH_CHECK((a.scalar_type() == at::kFloat || a.scalar_type() == at::kDouble || a.scalar_type() == at::kHalf) &&
                  (b.scalar_type() == at::kFloat || b.scalar_type() == at::kDouble || b.scalar_type() == at::kHalf),
              "Expected both inputs to be Half, Float or Double tensors but got ", a.scalar_type(), " and ", b.scalar_type());
  TORCH_CHECK(a.scalar_type() == b.scalar_type(), "Expected object of scalar type ", a.scalar_type(), " but got scalar type ",
              b.scalar_type(), " for second argument");
  TORCH_CHECK(out.scalar_type() == c10::toComplexType(a.scalar_type()), "Expected object of scalar type ",
              c10::toComplexType(a.scalar_type()), " but got scalar type ", out.scalar_type(), " for argument 'out'");
  at::native::resize_output(out, at::infer_size(a.sizes(), b.sizes()));
}
at::Tensor& complex_out(const at::Tensor& real, const at::Tensor& imaginary, at::Tensor& out) {
  check_parts(real, imaginary, out);
  const auto to = parts(out);
  to[0].copy_(real);
  to[1].copy_(imaginary);
  return out;
}
at::Tensor& polar_out(const at::Tensor& size, const at::Tensor& angle, at::Tensor& out) {
  check_parts(size, angle, out);
  const auto to = parts(out);
  pointwise(Rule::kBinary, to[0], {size, angle}, {}, [](Ctx& c) { return c.x(0) * cos(c.x(1)); });
  pointwise(Rule::kBinary, to[1], {size, angle}, {}, [](Ctx& c) { return c.x(0) * sin(c.x(1)); });
  return out;
}

at::Tensor& conj_physical_out(const at::Tensor& self, at::Tensor& out) {
  if (self.is_complex()) {
    complex_pointwise(*complex_row("conj_physical"), out, self, {});
    return out;
  }
  at::native::resize_output(out, self.sizes());
  return out.copy_(self);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::conj_physical_out, conj_physical_out>(m);
  kernel<at::_ops::complex_out, complex_out>(m);
  kernel<at::_ops::polar_out, polar_out>(m);
}

}  // namespace oncilla::adapter
