// Norms of vectors, and what scales by them: norm, renorm, the rows of an embedding, weight normalisation.
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/WrapDimUtils.h>
#include <ATen/ops/_weight_norm_interface_backward_ops.h>
#include <ATen/ops/_weight_norm_interface_ops.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/div.h>
#include <ATen/ops/embedding_renorm_ops.h>
#include <ATen/ops/index_copy.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/linalg_vector_norm_meta.h>
#include <ATen/ops/linalg_vector_norm_ops.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/norm_ops.h>
#include <ATen/ops/renorm_meta.h>
#include <ATen/ops/renorm_ops.h>
#include <ATen/ops/sum.h>

#include <limits>

#include "torch/arguments.hpp"
#include "torch/reduce.hpp"
#include "torch/shaped.hpp"

namespace oncilla::adapter {
namespace {

using Dim = at::OptionalIntArrayRef;
using Type = std::optional<at::ScalarType>;
using Two = std::tuple<at::Tensor, at::Tensor>;

at::Tensor norm_to(const at::Tensor& self, const at::Scalar& ord, Dim dim, bool keepdim, Type dtype, const at::Tensor& out) {
  // The norm of magnitudes. Their dtype is the result's already.
  if (self.is_complex() && (!dtype || *dtype == self.scalar_type()))
    return norm_to(at::abs(self), ord, dim, keepdim, std::nullopt, out);
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_linalg_vector_norm> shaped({out});
  shaped.meta(self, ord, dim, keepdim, dtype);
  const double p = ord.toDouble();
  const double infinity = std::numeric_limits<double>::infinity();
  reduce(shaped.outs, self, dims_of(dim, self.dim()), shaped.outs[0].scalar_type(), {}, [&](Ctx& c) {
    const Value a = abs(c.x(0));
    if (p == infinity) return c.tape.reduce(ONC_EX_REDUCE_MAX, a);
    if (p == -infinity) return c.tape.reduce(ONC_EX_REDUCE_MIN, a);
    if (p == 0) return c.tape.reduce(ONC_EX_REDUCE_SUM, where(eq(a, c.c(0)), c.c(0), c.c(1)));
    if (p == 1) return c.tape.reduce(ONC_EX_REDUCE_SUM, a);
    if (p == 2) return sqrt(c.tape.reduce(ONC_EX_REDUCE_SUM, a * a));
    return pow(c.tape.reduce(ONC_EX_REDUCE_SUM, pow(a, c.s(c10::Scalar(p)))), c.s(c10::Scalar(1 / p)));
  });
  return shaped.outs[0];
}
at::Tensor vector_norm(const at::Tensor& self, const at::Scalar& ord, Dim dim, bool keepdim, Type dtype) {
  return norm_to(self, ord, dim, keepdim, dtype, {});
}
at::Tensor& vector_norm_out(const at::Tensor& self, const at::Scalar& ord, Dim dim, bool keepdim, Type dtype, at::Tensor& out) {
  norm_to(self, ord, dim, keepdim, dtype, out);
  return out;
}
at::Tensor& norm_out(const at::Tensor& self, const std::optional<at::Scalar>& p, at::IntArrayRef dim, bool keepdim,
                     at::Tensor& out) {
  return at::linalg_vector_norm_out(out, self, p.value_or(2), dim, keepdim);
}
at::Tensor& norm_dtype_out(const at::Tensor& self, const std::optional<at::Scalar>& p, at::IntArrayRef dim, bool keepdim,
                           at::ScalarType dtype, at::Tensor& out) {
  return at::linalg_vector_norm_out(out, self, p.value_or(2), dim, keepdim, dtype);
}

std::vector<int64_t> all_but(int64_t dim, int64_t rank) {
  std::vector<int64_t> dims;
  for (int64_t d = 0; d < rank; ++d) {
    if (d != dim) dims.push_back(d);
  }
  return dims;
}

// x, held below a norm: x * most / (norm + 1e-7) where the norm passes it.
at::Tensor held(const at::Tensor& x, const at::Tensor& norms, double most) {
  const c10::IValue bound(most);
  return pointwise(Rule::kBinary, {}, {x, norms}, bound, [](Ctx& c) {
    const Value limit = c.s(size_t{0});
    return where(gt(c.x(1), limit), c.x(0) * (limit / (c.x(1) + 1e-7)), c.x(0));
  });
}

at::Tensor renorm(const at::Tensor& self, const at::Scalar& p, int64_t dim, const at::Scalar& most) {
  need_floating(self, "renorm");
  Shaped<at::meta::structured_renorm> shaped;
  shaped.meta(self, p, dim, most);
  dim = at::maybe_wrap_dim(dim, self.dim());
  // Norms of halves in float32, in which they are compared.
  const at::Tensor x = self.to(wide_of(self.scalar_type()));
  const at::Tensor norms = at::linalg_vector_norm(x, p, all_but(dim, self.dim()), true);
  shaped.outs[0].copy_(held(x, norms, most.toDouble()));
  return shaped.outs[0];
}

at::Tensor& embedding_renorm(at::Tensor& self, const at::Tensor& indices, double most, double p) {
  TORCH_CHECK(self.dim() == 2, "embedding_renorm_ expects a table of 2 dimensions, not ", self.dim());
  TORCH_CHECK(indices.scalar_type() == at::kLong || indices.scalar_type() == at::kInt,
              "Expected tensor for argument #2 'indices' to have one of the following scalar types: Long, Int; but got ",
              indices.scalar_type());
  need_floating(self, "embedding_renorm_");
  if (indices.numel() == 0) return self;
  // A row that is named twice is scaled twice from the same values, and written twice.
  const at::Tensor rows = indices.reshape({-1}).to(at::kLong), x = at::index_select(self, 0, rows);
  self.index_copy_(0, rows, held(x, at::linalg_vector_norm(x, p, at::IntArrayRef{1}, true), most));
  return self;
}

void check_weight_norm(const at::Tensor& v, int64_t dim) {
  need_floating(v, "weight norm");
  TORCH_CHECK(dim == 0 || dim == v.dim() - 1, "fused kernels can only be applied for first or last dim, not ", dim, " of ",
              v.dim());
}
Two weight_norm(const at::Tensor& v, const at::Tensor& g, int64_t dim) {
  check_weight_norm(v, dim);
  const at::Tensor norms = at::linalg_vector_norm(v, 2, all_but(dim, v.dim()), true, wide_of(g.scalar_type()));
  return {pointwise(Rule::kBinary, {}, {v, g, norms}, {}, [](Ctx& c) { return c.x(0) * (c.x(1) / c.x(2)); }).to(v.scalar_type()),
          norms};
}
Two weight_norm_grad(const at::Tensor& grad, const at::Tensor& v, const at::Tensor& g, const at::Tensor& norms, int64_t dim) {
  check_weight_norm(v, dim);
  const at::Tensor along = at::sum(at::mul(grad, v), all_but(dim, v.dim()), true, norms.scalar_type());
  const at::Tensor grad_v = pointwise(Rule::kBinary, {}, {grad, v, g, norms, along}, {},
                                      [](Ctx& c) { return c.x(2) / c.x(3) * (c.x(0) - c.x(1) * (c.x(4) / (c.x(3) * c.x(3)))); });
  return {grad_v.to(v.scalar_type()), at::div(along, norms).to(g.scalar_type())};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::linalg_vector_norm, vector_norm>(m);
  kernel<at::_ops::linalg_vector_norm_out, vector_norm_out>(m);
  kernel<at::_ops::norm_out, norm_out>(m);
  kernel<at::_ops::norm_dtype_out, norm_dtype_out>(m);
  kernel<at::_ops::renorm, renorm>(m);
  kernel<at::_ops::embedding_renorm_, embedding_renorm>(m);
  kernel<at::_ops::_weight_norm_interface, weight_norm>(m);
  kernel<at::_ops::_weight_norm_interface_backward, weight_norm_grad>(m);
}

}  // namespace oncilla::adapter
