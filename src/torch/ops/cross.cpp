// The cross product of vectors of three.
#include "torch/kernel.hpp"

#include <ATen/WrapDimUtils.h>
#include <ATen/ops/linalg_cross_meta.h>
#include <ATen/ops/linalg_cross_ops.h>

#include "torch/pointwise.hpp"
#include "torch/shaped.hpp"

namespace oncilla::adapter {
namespace {

at::Tensor cross(const at::Tensor& self, const at::Tensor& other, int64_t given) {
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_linalg_cross> shaped;
  shaped.meta(self, other, given);
  const at::Tensor& out = shaped.outs[0];
  const int64_t dim = at::maybe_wrap_dim(given, out.dim());
  const at::Tensor a = self.expand(out.sizes()), b = other.expand(out.sizes());
  for (int64_t i = 0; i < 3; ++i) {
    const int64_t j = (i + 1) % 3, k = (i + 2) % 3;
    pointwise(Rule::kBinary, out.select(dim, i), {a.select(dim, j), b.select(dim, k), a.select(dim, k), b.select(dim, j)}, {},
              [](Ctx& c) { return c.x(0) * c.x(1) - c.x(2) * c.x(3); });
  }
  return out;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) { kernel<at::_ops::linalg_cross, cross>(m); }

}  // namespace oncilla::adapter
