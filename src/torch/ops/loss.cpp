// Negative log likelihood.
#include "torch/kernel.hpp"

#include <ATen/core/Reduction.h>
#include <ATen/ops/nll_loss2d_backward_ops.h>
#include <ATen/ops/nll_loss2d_forward_ops.h>
#include <ATen/ops/nll_loss_backward_meta.h>
#include <ATen/ops/nll_loss_backward_ops.h>
#include <ATen/ops/nll_loss_forward_meta.h>
#include <ATen/ops/nll_loss_forward_ops.h>

#include "torch/arguments.hpp"
#include "torch/index_check.hpp"
#include "torch/shaped.hpp"

namespace oncilla::adapter {
namespace {

onc_loss_attrs attributes(int64_t reduction, int64_t ignore) {
  onc_loss_attrs out{};
  out.reduction = reduction == at::Reduction::None   ? ONC_REDUCTION_NONE
                  : reduction == at::Reduction::Mean ? ONC_REDUCTION_MEAN
                                                     : ONC_REDUCTION_SUM;
  out.ignore_index = ignore;
  return out;
}
at::Tensor wide(const at::Tensor& target) {
  return (target.scalar_type() == at::kLong ? target : target.to(at::kLong)).contiguous();
}

void nll_run(const at::Tensor& x, const at::Tensor& target, const at::Tensor& weight, const onc_loss_attrs& a,
             const at::Tensor& loss, const at::Tensor& total) {
  need_dtype(x.scalar_type());
  const at::Tensor in = x.dim() == 1 ? x.unsqueeze(0) : x, t = wide(target.dim() == 0 ? target.unsqueeze(0) : target);
  const at::Tensor to = x.dim() == 1 && a.reduction == ONC_REDUCTION_NONE ? loss.view({1}) : loss;
  if (in.size(0) == 0 || t.numel() == 0) {  // no targets: nothing, a sum of 0, a mean of NaN
    if (loss.numel() > 0) loss.fill_(a.reduction == ONC_REDUCTION_MEAN ? std::numeric_limits<double>::quiet_NaN() : 0.0);
    total.zero_();
    return;
  }
  Op op(ONC_OP_NLL_LOSS);
  op.in(in_ref(in)).in(in_ref(t));
  const at::Tensor w = weight.defined() ? weight.contiguous() : weight;
  maybe_in(op, w);
  check_index({"nll_loss", x.dim() > 1 ? 1 : 0, in.size(1), false, "target"}, target, a.ignore_index);
  // The kernel sums weights in float32 beside halves; PyTorch keeps the sum in the halves' dtype.
  const auto wide_type = wide_of(x.scalar_type());
  const at::Tensor sum = total.scalar_type() == wide_type ? total : at::empty({}, total.options().dtype(wide_type));
  op.out(out_ref(to)).out(out_ref(sum)).attrs(a);
  run(op, x.device().index());
  if (!sum.is_same(total)) total.copy_(sum);
}
void nll_grad_run(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& target, const at::Tensor& weight,
                  const onc_loss_attrs& a, const at::Tensor& total, const at::Tensor& out) {
  need_dtype(x.scalar_type());
  if (out.numel() == 0) return;
  const at::Tensor to = x.dim() == 1 ? out.unsqueeze(0) : out, t = wide(target.dim() == 0 ? target.unsqueeze(0) : target);
  const at::Tensor g = a.reduction != ONC_REDUCTION_NONE ? grad.reshape({}) : x.dim() == 1 ? grad.reshape({1}) : grad;
  const at::Tensor w = weight.defined() ? weight.contiguous() : weight;
  Op op(ONC_OP_NLL_LOSS_GRAD);
  op.in(in_ref(g)).in(in_ref(t));
  maybe_in(op, w);
  const at::Tensor sum = total.to(wide_of(x.scalar_type()));
  op.in(in_ref(sum)).out(out_ref(to)).attrs(a);
  run(op, x.device().index());
}

std::tuple<at::Tensor, at::Tensor> nll(const at::Tensor& x, const at::Tensor& target, const std::optional<at::Tensor>& weight,
                                       int64_t reduction, c10::SymInt ignore) {
  const at::Tensor w = weight.value_or(at::Tensor());
  const int64_t index = ignore.guard_int(__FILE__, __LINE__);
  TORCH_CHECK(x.device() == target.device(), "Expected all tensors to be on the same device, but found at least two devices, ",
              x.device(), " and ", target.device(), "!");
  Shaped<at::meta::structured_nll_loss_forward, 2> shaped;
  shaped.meta(x, target, w, reduction, index);
  nll_run(x, target, w, attributes(reduction, index), shaped.outs[0], shaped.outs[1]);
  return {shaped.outs[0], shaped.outs[1]};
}
at::Tensor nll_grad(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& target, const std::optional<at::Tensor>& weight,
                    int64_t reduction, c10::SymInt ignore, const at::Tensor& total) {
  const at::Tensor w = weight.value_or(at::Tensor());
  const int64_t index = ignore.guard_int(__FILE__, __LINE__);
  Shaped<at::meta::structured_nll_loss_backward> shaped;
  shaped.meta(grad, x, target, w, reduction, index, total);
  nll_grad_run(grad, x, target, w, attributes(reduction, index), total, shaped.outs[0]);
  return shaped.outs[0];
}

std::tuple<at::Tensor, at::Tensor> nll2d(const at::Tensor& x, const at::Tensor& target, const std::optional<at::Tensor>& weight,
                                         int64_t reduction, c10::SymInt ignore) {
  TORCH_CHECK(x.dim() == 4 && target.dim() == 3 && target.size(0) == x.size(0) && target.size(1) == x.size(2) &&
                  target.size(2) == x.size(3),
              "size mismatch (got input: ", x.sizes(), ", target: ", target.sizes(), ")");
  const at::Tensor loss = reduction == at::Reduction::None ? at::empty(target.sizes(), x.options()) : at::empty({}, x.options());
  const at::Tensor total = at::empty({}, x.options());
  nll_run(x, target, weight.value_or(at::Tensor()), attributes(reduction, ignore.guard_int(__FILE__, __LINE__)), loss, total);
  return {loss, total};
}
at::Tensor nll2d_grad(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& target,
                      const std::optional<at::Tensor>& weight, int64_t reduction, c10::SymInt ignore, const at::Tensor& total) {
  const at::Tensor out = at::empty(x.sizes(), x.options());
  nll_grad_run(grad, x, target, weight.value_or(at::Tensor()), attributes(reduction, ignore.guard_int(__FILE__, __LINE__)), total,
               out);
  return out;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::nll_loss_forward, nll>(m);
  kernel<at::_ops::nll_loss_backward, nll_grad>(m);
  kernel<at::_ops::nll_loss2d_forward, nll2d>(m);
  kernel<at::_ops::nll_loss2d_backward, nll2d_grad>(m);
}

}  // namespace oncilla::adapter
