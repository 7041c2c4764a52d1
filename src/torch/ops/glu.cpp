// Gated linear units: one half of a dim, weighted by the sigmoid of the other.
#include "torch/kernel.hpp"

#include <ATen/WrapDimUtils.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/glu_backward_jvp_native.h>
#include <ATen/ops/glu_backward_ops.h>
#include <ATen/ops/glu_jvp_ops.h>
#include <ATen/ops/glu_ops.h>

#include "torch/arguments.hpp"
#include "torch/pointwise.hpp"

namespace oncilla::adapter {
namespace {

struct Halves {
  int64_t dim, size;
  at::Tensor value, gate;

  Halves(const at::Tensor& self, int64_t given) {
    TORCH_CHECK(self.dim() > 0, "glu does not support 0-dimensional tensors");
    dim = at::maybe_wrap_dim(given, self.dim());
    TORCH_CHECK(self.size(dim) % 2 == 0, "Halving dimension must be even, but dimension ", dim, " is size ", self.size(dim));
    need_floating(self, "glu");
    size = self.size(dim) / 2;
    value = self.narrow(dim, 0, size);
    gate = self.narrow(dim, size, size);
  }
};

at::Tensor glu(const at::Tensor& self, int64_t dim) {
  const Halves h(self, dim);
  return pointwise(Rule::kBinary, {}, {h.value, h.gate}, {}, [](Ctx& c) { return c.x(0) * sigmoid(c.x(1)); });
}
at::Tensor glu_grad(const at::Tensor& grad, const at::Tensor& self, int64_t dim) {
  const Halves h(self, dim);
  const at::Tensor out = at::empty(self.sizes(), self.options());
  pointwise(Rule::kBinary, out.narrow(h.dim, 0, h.size), {grad, h.gate}, {}, [](Ctx& c) { return c.x(0) * sigmoid(c.x(1)); });
  pointwise(Rule::kBinary, out.narrow(h.dim, h.size, h.size), {grad, h.value, h.gate}, {}, [](Ctx& c) {
    const Value s = sigmoid(c.x(2));
    return c.x(0) * c.x(1) * s * (1.0 - s);
  });
  return out;
}

at::Tensor glu_tangent(const at::Tensor& result, const at::Tensor& x, const at::Tensor& dx, int64_t dim) {
  const Halves h(x, dim), d(dx, dim);
  return pointwise(Rule::kBinary, {}, {result, h.gate, d.value, d.gate}, {}, [](Ctx& c) {
    const Value s = sigmoid(c.x(1));
    return c.x(2) * s + c.x(0) * c.x(3) * (1.0 - s);
  });
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::glu, glu>(m);
  kernel<at::_ops::glu_backward, glu_grad>(m);
  kernel<at::_ops::glu_jvp, glu_tangent>(m);
  m.impl("glu_backward_jvp", &at::native::glu_backward_jvp);
}

}  // namespace oncilla::adapter
