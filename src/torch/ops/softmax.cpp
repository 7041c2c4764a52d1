// Softmax and its logarithm, and softmax beside a mask.
#include "torch/kernel.hpp"

#include <ATen/WrapDimUtils.h>
#include <ATen/ops/_log_softmax_backward_data_meta.h>
#include <ATen/ops/_log_softmax_backward_data_ops.h>
#include <ATen/ops/_log_softmax_meta.h>
#include <ATen/ops/_log_softmax_ops.h>
#include <ATen/ops/_masked_softmax_backward_ops.h>
#include <ATen/ops/_masked_softmax_ops.h>
#include <ATen/ops/_softmax.h>
#include <ATen/ops/_softmax_backward_data.h>
#include <ATen/ops/_softmax_backward_data_meta.h>
#include <ATen/ops/_softmax_backward_data_ops.h>
#include <ATen/ops/_softmax_meta.h>
#include <ATen/ops/_softmax_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/masked_fill.h>

#include <limits>

#include "torch/shaped.hpp"

namespace oncilla::adapter {
namespace {

void softmax_run(uint32_t number, const at::Tensor& a, const at::Tensor& b, const at::Tensor& out, int64_t dim, bool log) {
  if (out.numel() == 0) return;
  need_dtype(out.scalar_type());
  // A 0-dim tensor is a row of one.
  const at::Tensor a1 = (a.dim() == 0 ? a.view({1}) : a).to(out.scalar_type()), o1 = out.dim() == 0 ? out.view({1}) : out;
  const at::Tensor to = o1.is_non_overlapping_and_dense() ? o1 : at::empty(o1.sizes(), o1.options());
  onc_softmax_attrs attrs{};
  attrs.axis = static_cast<uint32_t>(at::maybe_wrap_dim(dim, a1.dim()));
  attrs.log = log;
  Op op(number);
  op.in(in_ref(a1));
  const at::Tensor b1 = b.defined() && b.dim() == 0 ? b.view({1}) : b;
  if (b1.defined()) op.in(in_ref(b1));
  op.out(out_ref(to)).attrs(attrs);
  run(op, out.device().index());
  if (!to.is_same(o1)) o1.copy_(to);
}

template <class Meta, bool kLog>
at::Tensor softmax(const at::Tensor& x, int64_t dim, bool half_to_float) {
  need_dtype(x.scalar_type());
  TORCH_CHECK(!half_to_float || x.scalar_type() == at::kHalf, "conversion is supported for Half type only");
  Shaped<Meta> shaped;
  shaped.meta(x, dim, half_to_float);
  softmax_run(ONC_OP_SOFTMAX, x, {}, shaped.outs[0], dim, kLog);
  return shaped.outs[0];
}
template <class Meta, bool kLog>
at::Tensor softmax_grad(const at::Tensor& grad, const at::Tensor& y, int64_t dim, at::ScalarType input_dtype) {
  need_dtype(y.scalar_type());
  if (input_dtype != grad.scalar_type()) throw Declined("a softmax gradient of mixed dtypes");
  Shaped<Meta> shaped;
  shaped.meta(grad, y, dim, input_dtype);
  softmax_run(ONC_OP_SOFTMAX_GRAD, grad, y, shaped.outs[0], dim, kLog);
  return shaped.outs[0];
}

// True hides an element. A mask of type 0 is [L, L] for scores [B, H, L, L], of type 1 it is [B, L]; type 2 has the scores' sizes.
at::Tensor full_mask(const at::Tensor& self, const at::Tensor& mask, std::optional<int64_t> type) {
  TORCH_CHECK(mask.scalar_type() == at::kBool, "Mask should be a boolean tensor");
  const int64_t kind = type.value_or(2);
  TORCH_CHECK(kind >= 0 && kind <= 2, "Mask Type should be 0 (src_mask), 1 (src_key_padding_mask), or 2 (default_mask), not ",
              kind);
  if (kind == 2) {
    TORCH_CHECK(mask.sizes() == self.sizes(), "Mask shape should match input. mask: ", mask.sizes(), " input: ", self.sizes());
    return mask;
  }
  TORCH_CHECK(self.dim() == 4, "a mask of type ", kind, " is for scores of 4 dimensions, not ", self.dim());
  const at::Tensor there = kind == 1 ? mask.unsqueeze(1).unsqueeze(1) : mask;
  return there.expand(self.sizes());
}
at::Tensor masked_softmax(const at::Tensor& self, const at::Tensor& mask, std::optional<int64_t> dim, std::optional<int64_t> type) {
  const at::Tensor hidden = full_mask(self, mask, type);
  const at::Tensor seen = self.masked_fill(hidden, -std::numeric_limits<double>::infinity());
  return at::_softmax(seen, dim.value_or(-1), false);  // a row that sees nothing has no softmax: NaN
}
at::Tensor masked_softmax_grad(const at::Tensor& grad, const at::Tensor& y, const at::Tensor& mask, std::optional<int64_t> dim) {
  TORCH_CHECK(mask.scalar_type() == at::kBool, "Mask should be a boolean tensor");
  // Of which type the mask was is not told: one of other sizes could be taken for another than it is.
  TORCH_CHECK(mask.sizes() == grad.sizes(), "Mask shape should match grad shape");
  return at::_softmax_backward_data(grad.masked_fill(mask, 0), y, dim.value_or(-1), grad.scalar_type()).masked_fill(mask, 0);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::_softmax, softmax<at::meta::structured__softmax, false>>(m);
  kernel<at::_ops::_log_softmax, softmax<at::meta::structured__log_softmax, true>>(m);
  kernel<at::_ops::_softmax_backward_data, softmax_grad<at::meta::structured__softmax_backward_data, false>>(m);
  kernel<at::_ops::_log_softmax_backward_data, softmax_grad<at::meta::structured__log_softmax_backward_data, true>>(m);
  kernel<at::_ops::_masked_softmax, masked_softmax>(m);
  kernel<at::_ops::_masked_softmax_backward, masked_softmax_grad>(m);
}

}  // namespace oncilla::adapter
