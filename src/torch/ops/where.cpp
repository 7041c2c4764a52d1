// where with out=, which PyTorch's composition of attention calls: computed beside the output and copied, so that out may be an
// input.
#include "torch/kernel.hpp"

#include <ATen/native/Resize.h>
#include <ATen/ops/where.h>
#include <ATen/ops/where_ops.h>

namespace oncilla::adapter {
namespace {

at::Tensor& where_out(const at::Tensor& condition, const at::Tensor& self, const at::Tensor& other, at::Tensor& out) {
  const at::Tensor result = at::where(condition, self, other);
  TORCH_CHECK(out.scalar_type() == result.scalar_type(), "Expected out type to be ", result.scalar_type(), " but got ",
              out.scalar_type());
  TORCH_CHECK(out.device() == result.device(), "Expected all tensors to be on the same device, but out is on ", out.device(),
              " and the result on ", result.device());
  at::native::resize_output(out, result.sizes());
  return out.copy_(result);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) { kernel<at::_ops::where_self_out, where_out>(m); }

}  // namespace oncilla::adapter
