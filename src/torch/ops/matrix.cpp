// Matrix functions that are made of products: the exponential, linear combinations of matrices, products of 8-bit integers. (What
// needs a factorisation runs on the CPU.)
#include "torch/kernel.hpp"

#include <ATen/native/LinearAlgebraUtils.h>
#include <ATen/ops/_compute_linear_combination_ops.h>
#include <ATen/ops/_int_mm_ops.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_matrix_exp_ops.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/where.h>

#include <cmath>

#include "torch/arguments.hpp"

namespace oncilla::adapter {
namespace {

// out[i] = sum over j of coefficients[i, j] * input[j]
at::Tensor combination(const at::Tensor& input, const at::Tensor& coefficients) {
  need_floating(input, "a linear combination");
  TORCH_CHECK(coefficients.dim() == 2 && input.dim() >= 1 && input.size(0) == coefficients.size(1), "expected coefficients [n, ",
              input.dim() > 0 ? input.size(0) : 0, "], but got ", coefficients.sizes());
  std::vector<int64_t> sizes = input.sizes().vec();
  sizes[0] = coefficients.size(0);
  return at::mm(coefficients.to(input.scalar_type()), input.reshape({input.size(0), -1})).view(sizes);
}
// Adds to out, as PyTorch's does.
at::Tensor& combination_out(const at::Tensor& input, const at::Tensor& coefficients, at::Tensor& out) {
  return out.add_(combination(input, coefficients));
}

// sum of A^k / k! up to k = 17 for norms up to 1, where what is left out is below float64's rounding; larger matrices are halved
// until they fit, and the result is squared as often. Paterson and Stockmeyer: polynomials of degree 2 in A, joined by powers of
// A^3.
at::Tensor small_exp(const at::Tensor& a) {
  const at::Tensor a2 = at::bmm(a, a), a3 = at::bmm(a2, a);
  double factorial = 355687428096000;  // 17!
  at::Tensor sum;
  for (int64_t k = 15; k >= 0; k -= 3) {
    const double c2 = 1 / factorial, c1 = c2 * static_cast<double>(k + 2), c0 = c1 * static_cast<double>(k + 1);
    at::Tensor part = a2.mul(c2).add_(a, c1);
    part.diagonal(0, 1, 2).add_(c0);
    sum = sum.defined() ? at::baddbmm(part, sum, a3) : part;
    for (int64_t j = k; j > k - 3 && j > 0; --j) factorial /= static_cast<double>(j + 2);
  }
  return sum;
}
// Larger matrices are halved until they fit, and the result is squared as often.
at::Tensor matrix_exp(const at::Tensor& self) {
  need_floating(self, "a matrix exponential");
  at::native::squareCheckInputs(self, "linalg.matrix_exp");
  if (self.numel() == 0) return at::empty(self.sizes(), self.options());
  const at::Tensor a = self.reshape({-1, self.size(-2), self.size(-1)});
  const at::Tensor norm = a.abs().sum(1).amax(1).div(self.scalar_type() == at::kDouble ? 1 : 3);
  // The host must know how often to square.
  const double largest = norm.max().to(at::kDouble).item<double>();
  if (!(largest > 1) || std::isinf(largest)) return small_exp(a).view(self.sizes());
  const at::Tensor halvings = norm.log2().ceil().clamp_min(0).view({-1, 1, 1});
  at::Tensor y = small_exp(a.mul(halvings.neg().exp2()));
  for (int64_t k = 0; k < static_cast<int64_t>(std::ceil(std::log2(largest))); ++k) y = at::where(halvings.gt(k), at::bmm(y, y), y);
  return y.view(self.sizes());
}

at::Tensor& int_mm_out(const at::Tensor& self, const at::Tensor& mat2, at::Tensor& out) {
  TORCH_CHECK(self.dim() == 2 && mat2.dim() == 2, "Expected matrices, but got ", self.sizes(), " and ", mat2.sizes());
  TORCH_CHECK(self.size(1) == mat2.size(0), "self.size(1) needs to match mat2.size(0) but got ", self.size(1), " and ",
              mat2.size(0));
  TORCH_CHECK(self.scalar_type() == at::kChar && mat2.scalar_type() == at::kChar, "Expected int8 matrices, but got ",
              self.scalar_type(), " and ", mat2.scalar_type());
  TORCH_CHECK(out.scalar_type() == at::kInt && out.dim() == 2 && out.size(0) == self.size(0) && out.size(1) == mat2.size(1),
              "Expected an int32 result of ", self.size(0), " x ", mat2.size(1), ", but got ", out.scalar_type(), " ", out.sizes());
  return out.copy_(at::mm(self.to(at::kInt), mat2.to(at::kInt)));
}
at::Tensor int_mm(const at::Tensor& self, const at::Tensor& mat2) {
  at::Tensor out = at::empty({self.size(0), mat2.size(1)}, self.options().dtype(at::kInt));
  return int_mm_out(self, mat2, out);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::_compute_linear_combination, combination>(m);
  kernel<at::_ops::_compute_linear_combination_out, combination_out>(m);
  kernel<at::_ops::linalg_matrix_exp, matrix_exp>(m);
  kernel<at::_ops::_int_mm, int_mm>(m);
  kernel<at::_ops::_int_mm_out, int_mm_out>(m);
}

}  // namespace oncilla::adapter
