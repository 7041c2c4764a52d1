// Products that are made of others: sums of batches, a product with its activation, the dot product of conjugates.
#include "torch/kernel.hpp"

#include <ATen/ops/_addmm_activation_ops.h>
#include <ATen/ops/addbmm_native.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/conj_physical.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/vdot_ops.h>

namespace oncilla::adapter {
namespace {

at::Tensor addmm_activation(const at::Tensor& self, const at::Tensor& a, const at::Tensor& b, const at::Scalar& beta,
                            const at::Scalar& alpha, bool use_gelu) {
  const at::Tensor product = at::addmm(self, a, b, beta, alpha);
  return use_gelu ? at::gelu(product) : at::relu(product);
}
at::Tensor vdot(const at::Tensor& self, const at::Tensor& other) {
  if (!self.is_complex()) return at::dot(self, other);
  TORCH_CHECK(self.dim() == 1 && other.dim() == 1 && self.sizes() == other.sizes() && self.scalar_type() == other.scalar_type(),
              "vdot: expected two vectors of one size and dtype, but got ", self.sizes(), " of ", self.scalar_type(), " and ",
              other.sizes(), " of ", other.scalar_type());
  return at::sum(at::mul(at::conj_physical(self), other));
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::_addmm_activation, addmm_activation>(m);
  kernel<at::_ops::vdot, vdot>(m);
  m.impl("addbmm", &at::native::addbmm);
  m.impl("addbmm_", &at::native::addbmm_);
  m.impl("addbmm.out", &at::native::addbmm_out);
}

}  // namespace oncilla::adapter
