// 2-D pooling. PyTorch's shape functions check the arguments; a missing batch dim is added.
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/ops/avg_pool2d_backward_meta.h>
#include <ATen/ops/avg_pool2d_backward_ops.h>
#include <ATen/ops/avg_pool2d_meta.h>
#include <ATen/ops/avg_pool2d_ops.h>
#include <ATen/ops/max_pool2d_with_indices_backward_meta.h>
#include <ATen/ops/max_pool2d_with_indices_backward_ops.h>
#include <ATen/ops/max_pool2d_with_indices_meta.h>
#include <ATen/ops/max_pool2d_with_indices_ops.h>

#include "torch/shaped.hpp"

namespace oncilla::adapter {
namespace {

using Ints = at::IntArrayRef;

onc_pool_attrs attributes(Ints kernel_size, Ints stride, Ints pad, Ints dilation) {
  onc_pool_attrs out{};
  out.spatial_rank = 2;
  for (size_t d = 0; d < 2; ++d) {
    auto of = [d](Ints values) { return values.size() == 1 ? values[0] : values[d]; };
    out.kernel[d] = of(kernel_size);
    out.stride[d] = stride.empty() ? out.kernel[d] : of(stride);
    out.pad[d] = of(pad);
    out.dilation[d] = of(dilation);
  }
  return out;
}

void need_floating(const at::Tensor& x) {
  need_dtype(x.scalar_type());
  if (!x.is_floating_point()) throw Declined(std::string("pooling in ") + c10::toString(x.scalar_type()));
}

at::Tensor batched(const at::Tensor& t) { return t.dim() == 3 ? t.unsqueeze(0) : t; }

// The op writes dense memory in the usual order; any other output gets a copy.
struct Dense {
  explicit Dense(const at::Tensor& out) : out(out), to(out.is_contiguous() ? out : at::empty(out.sizes(), out.options())) {}
  void finish() const {
    if (!to.is_same(out)) out.copy_(to);
  }
  const at::Tensor& out;
  at::Tensor to;
};

void max_pool_run(const at::Tensor& x, const onc_pool_attrs& a, const at::Tensor& out, const at::Tensor& index) {
  if (out.numel() == 0) return;
  const Dense y(out), i(index);
  const at::Tensor input = batched(x.contiguous()), y4 = batched(y.to), i4 = batched(i.to);
  Op op(ONC_OP_MAX_POOL);
  op.in(in_ref(input)).out(out_ref(y4)).out(out_ref(i4)).attrs(a);
  run(op, x.device().index());
  y.finish();
  i.finish();
}
std::tuple<at::Tensor, at::Tensor> max_pool(const at::Tensor& x, Ints kernel_size, Ints stride, Ints pad, Ints dilation,
                                            bool ceil) {
  need_floating(x);
  Shaped<at::meta::structured_max_pool2d_with_indices, 2> shaped;
  shaped.meta(x, kernel_size, stride, pad, dilation, ceil);
  max_pool_run(x, attributes(kernel_size, stride, pad, dilation), shaped.outs[0], shaped.outs[1]);
  return {shaped.outs[0], shaped.outs[1]};
}
std::tuple<at::Tensor&, at::Tensor&> max_pool_out(const at::Tensor& x, Ints kernel_size, Ints stride, Ints pad, Ints dilation,
                                                  bool ceil, at::Tensor& out, at::Tensor& index) {
  need_floating(x);
  Shaped<at::meta::structured_max_pool2d_with_indices, 2> shaped({out, index});
  shaped.meta(x, kernel_size, stride, pad, dilation, ceil);
  max_pool_run(x, attributes(kernel_size, stride, pad, dilation), out, index);
  return {out, index};
}

at::Tensor max_pool_grad(const at::Tensor& grad, const at::Tensor& x, Ints kernel_size, Ints stride, Ints pad, Ints dilation,
                         bool ceil, const at::Tensor& index) {
  need_floating(x);
  Shaped<at::meta::structured_max_pool2d_with_indices_backward> shaped;
  shaped.meta(grad, x, kernel_size, stride, pad, dilation, ceil, index);
  const at::Tensor& out = shaped.outs[0];
  if (out.numel() == 0) return out;
  const Dense to(out);
  const at::Tensor g = batched(grad.contiguous()), i = batched(index.contiguous()), o = batched(to.to);
  Op op(ONC_OP_MAX_POOL_GRAD);
  op.in(in_ref(g)).in(in_ref(i)).out(out_ref(o)).attrs(attributes(kernel_size, stride, pad, dilation));
  run(op, x.device().index());
  to.finish();
  return out;
}

onc_pool_attrs average(Ints kernel_size, Ints stride, Ints pad, bool count_pad, std::optional<int64_t> divisor) {
  onc_pool_attrs out = attributes(kernel_size, stride, pad, {1, 1});
  out.count_include_pad = count_pad;
  out.divisor_override = divisor.value_or(0);
  return out;
}
at::Tensor avg_pool(const at::Tensor& x, Ints kernel_size, Ints stride, Ints pad, bool ceil, bool count_pad,
                    std::optional<int64_t> divisor) {
  need_floating(x);
  Shaped<at::meta::structured_avg_pool2d> shaped;
  shaped.meta(x, kernel_size, stride, pad, ceil, count_pad, divisor);
  const at::Tensor& out = shaped.outs[0];
  if (out.numel() == 0) return out;
  const Dense to(out);
  const at::Tensor input = batched(x.contiguous()), o = batched(to.to);
  Op op(ONC_OP_AVG_POOL);
  op.in(in_ref(input)).out(out_ref(o)).attrs(average(kernel_size, stride, pad, count_pad, divisor));
  run(op, x.device().index());
  to.finish();
  return out;
}
at::Tensor avg_pool_grad(const at::Tensor& grad, const at::Tensor& x, Ints kernel_size, Ints stride, Ints pad, bool ceil,
                         bool count_pad, std::optional<int64_t> divisor) {
  need_floating(x);
  Shaped<at::meta::structured_avg_pool2d_backward> shaped;
  shaped.meta(grad, x, kernel_size, stride, pad, ceil, count_pad, divisor);
  const at::Tensor& out = shaped.outs[0];
  if (out.numel() == 0) return out;
  const Dense to(out);
  const at::Tensor g = batched(grad.contiguous()), o = batched(to.to);
  Op op(ONC_OP_AVG_POOL_GRAD);
  op.in(in_ref(g)).out(out_ref(o)).attrs(average(kernel_size, stride, pad, count_pad, divisor));
  run(op, x.device().index());
  to.finish();
  return out;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::max_pool2d_with_indices, max_pool>(m);
  kernel<at::_ops::max_pool2d_with_indices_out, max_pool_out>(m);
  kernel<at::_ops::max_pool2d_with_indices_backward, max_pool_grad>(m);
  kernel<at::_ops::avg_pool2d, avg_pool>(m);
  kernel<at::_ops::avg_pool2d_backward, avg_pool_grad>(m);
}

}  // namespace oncilla::adapter
