// Pools with windows of one size, over two and three spatial dims; 1-D ones are 2-D ones for PyTorch. PyTorch's shape functions
// check the arguments where there are any.
#include "torch/kernel.hpp"

#include <ATen/native/Pool.h>
#include <ATen/native/Resize.h>
#include <c10/util/OptionalArrayRef.h>

#include <ATen/ops/avg_pool2d_backward_meta.h>
#include <ATen/ops/avg_pool2d_backward_ops.h>
#include <ATen/ops/avg_pool2d_meta.h>
#include <ATen/ops/avg_pool2d_ops.h>
#include <ATen/ops/avg_pool3d_backward_meta.h>
#include <ATen/ops/avg_pool3d_backward_ops.h>
#include <ATen/ops/avg_pool3d_meta.h>
#include <ATen/ops/avg_pool3d_ops.h>
#include <ATen/ops/max_pool2d_with_indices_backward_meta.h>
#include <ATen/ops/max_pool2d_with_indices_backward_ops.h>
#include <ATen/ops/max_pool2d_with_indices_meta.h>
#include <ATen/ops/max_pool2d_with_indices_ops.h>
#include <ATen/ops/max_pool3d_with_indices_backward_ops.h>
#include <ATen/ops/max_pool3d_with_indices_ops.h>

#include <cstdlib>

#include "torch/shaped.hpp"
#include "torch/spatial.hpp"

namespace oncilla::adapter {
namespace {

using Ints = at::IntArrayRef;

template <uint32_t kRank>
onc_pool_attrs attributes(Ints kernel_size, Ints stride, Ints pad, Ints dilation) {
  onc_pool_attrs out{};
  out.spatial_rank = kRank;
  for (size_t d = 0; d < kRank; ++d) {
    auto of = [d](Ints values) { return values.size() == 1 ? values[0] : values[d]; };
    out.kernel[d] = of(kernel_size);
    out.stride[d] = stride.empty() ? out.kernel[d] : of(stride);
    out.pad[d] = of(pad);
    out.dilation[d] = of(dilation);
  }
  return out;
}

// --- max

void need_ordered(const at::Tensor& x) {
  need_dtype(x.scalar_type());
  if (x.scalar_type() == at::kBool) throw Declined("a maximum of Bool");
}

void max_pool_run(const at::Tensor& x, const onc_pool_attrs& a, const at::Tensor& out, const at::Tensor& index) {
  if (out.numel() == 0) return;
  const Dense y(out), i(index);
  const at::Tensor input = batched(x.contiguous(), a.spatial_rank), to = batched(y.to, a.spatial_rank),
                   to_index = batched(i.to, a.spatial_rank);
  Op op(ONC_OP_MAX_POOL);
  op.in(in_ref(input)).out(out_ref(to)).out(out_ref(to_index)).attrs(a);
  run(op, x.device().index());
  y.finish();
  i.finish();
}
void max_pool_grad_run(const at::Tensor& grad, const at::Tensor& index, const onc_pool_attrs& a, const at::Tensor& grad_in) {
  if (grad_in.numel() == 0) return;
  const Dense to(grad_in);
  const at::Tensor g = batched(grad.contiguous(), a.spatial_rank), i = batched(index.contiguous(), a.spatial_rank),
                   o = batched(to.to, a.spatial_rank);
  Op op(ONC_OP_MAX_POOL_GRAD);
  op.in(in_ref(g)).in(in_ref(i)).out(out_ref(o)).attrs(a);
  run(op, grad.device().index());
  to.finish();
}

std::tuple<at::Tensor&, at::Tensor&> max_pool2d_out(const at::Tensor& x, Ints kernel_size, Ints stride, Ints pad, Ints dilation,
                                                    bool ceil, at::Tensor& out, at::Tensor& index) {
  need_ordered(x);
  Shaped<at::meta::structured_max_pool2d_with_indices, 2> shaped({out, index});
  shaped.meta(x, kernel_size, stride, pad, dilation, ceil);
  max_pool_run(x, attributes<2>(kernel_size, stride, pad, dilation), out, index);
  return {out, index};
}
at::Tensor& max_pool2d_grad(const at::Tensor& grad, const at::Tensor& x, Ints kernel_size, Ints stride, Ints pad, Ints dilation,
                            bool ceil, const at::Tensor& index, at::Tensor& grad_in) {
  need_floating(x, "max pooling");
  Shaped<at::meta::structured_max_pool2d_with_indices_backward> shaped({grad_in});
  shaped.meta(grad, x, kernel_size, stride, pad, dilation, ceil, index);
  max_pool_grad_run(grad, index, attributes<2>(kernel_size, stride, pad, dilation), grad_in);
  return grad_in;
}

// The 3-D max pool has no shape function. grad and index are given for a backward.
void check_max_pool3d(const at::Tensor& x, const onc_pool_attrs& a, const std::array<int64_t, 3>& size, const at::Tensor* grad,
                      const at::Tensor* index) {
  const auto small = [](int64_t value) { return c10::checked_convert<int>(value, "int"); };
  const auto &k = a.kernel, &s = a.stride, &p = a.pad, &d = a.dilation;
  if (grad == nullptr) {
    at::native::pool3d_shape_check(x, x.size(-4), small(k[0]), small(k[1]), small(k[2]), small(s[0]), small(s[1]), small(s[2]),
                                   small(p[0]), small(p[1]), small(p[2]), small(d[0]), small(d[1]), small(d[2]), x.size(-3),
                                   x.size(-2), x.size(-1), size[0], size[1], size[2], "max_pool3d_with_indices");
  } else {
    at::native::max_pool3d_backward_shape_check(x, *grad, *index, x.size(-4), small(k[0]), small(k[1]), small(k[2]), small(s[0]),
                                                small(s[1]), small(s[2]), small(p[0]), small(p[1]), small(p[2]), small(d[0]),
                                                small(d[1]), small(d[2]), x.size(-3), x.size(-2), x.size(-1), size[0], size[1],
                                                size[2], "max_pool3d_with_indices_backward");
  }
}

void check_max_pool3d_lists(const at::Tensor& x, Ints kernel_size, Ints stride, Ints pad, Ints dilation) {
  const auto one_or_three = [](Ints values) { return values.size() == 1 || values.size() == 3; };
  TORCH_CHECK(one_or_three(kernel_size), "max_pool3d: kernel_size must either be a single int, or a tuple of three ints");
  TORCH_CHECK(stride.empty() || one_or_three(stride),
              "max_pool3d: stride must either be omitted, a single int, or a tuple of three ints");
  TORCH_CHECK(one_or_three(pad), "max_pool3d: padding must either be a single int, or a tuple of three ints");
  TORCH_CHECK(one_or_three(dilation), "max_pool3d: dilation must be either a single int, or a tuple of three ints");
  TORCH_CHECK(x.dim() == 4 || x.dim() == 5, "max_pool3d_with_indices: Expected 4D or 5D tensor for input, but got: ", x.sizes());
}

struct Pool3d {
  onc_pool_attrs attrs;
  std::vector<int64_t> sizes;  // of the output
};
Pool3d shape_max_pool3d(const at::Tensor& x, Ints kernel_size, Ints stride, Ints pad, Ints dilation, bool ceil) {
  check_max_pool3d_lists(x, kernel_size, stride, pad, dilation);
  const onc_pool_attrs a = attributes<3>(kernel_size, stride, pad, dilation);
  std::array<int64_t, 3> size{};
  for (size_t d = 0; d < 3; ++d) {
    size[d] = at::native::pooling_output_shape<int64_t>(x.size(static_cast<int64_t>(d) - 3), a.kernel[d], a.pad[d], a.stride[d],
                                                        a.dilation[d], ceil);
  }
  check_max_pool3d(x, a, size, nullptr, nullptr);
  std::vector<int64_t> sizes(x.sizes().begin(), x.sizes().end() - 3);
  sizes.insert(sizes.end(), size.begin(), size.end());
  return {a, sizes};
}
std::tuple<at::Tensor, at::Tensor> max_pool3d(const at::Tensor& x, Ints kernel_size, Ints stride, Ints pad, Ints dilation,
                                              bool ceil) {
  need_ordered(x);
  const Pool3d shape = shape_max_pool3d(x, kernel_size, stride, pad, dilation, ceil);
  // Without a batch, four dims are no channels_last image.
  const auto format = x.dim() == 5 ? x.suggest_memory_format() : c10::MemoryFormat::Contiguous;
  const at::Tensor out = at::empty(shape.sizes, x.options().memory_format(format));
  const at::Tensor index = at::empty(shape.sizes, x.options().dtype(at::kLong).memory_format(format));
  max_pool_run(x, shape.attrs, out, index);
  return {out, index};
}
std::tuple<at::Tensor&, at::Tensor&> max_pool3d_out(const at::Tensor& x, Ints kernel_size, Ints stride, Ints pad, Ints dilation,
                                                    bool ceil, at::Tensor& out, at::Tensor& index) {
  need_ordered(x);
  const Pool3d shape = shape_max_pool3d(x, kernel_size, stride, pad, dilation, ceil);
  at::native::resize_output(out, shape.sizes);
  at::native::resize_output(index, shape.sizes);
  max_pool_run(x, shape.attrs, out, index);
  return {out, index};
}
at::Tensor& max_pool3d_grad_out(const at::Tensor& grad, const at::Tensor& x, Ints kernel_size, Ints stride, Ints pad, Ints dilation,
                                bool, const at::Tensor& index, at::Tensor& grad_in) {
  need_floating(x, "max pooling");
  check_max_pool3d_lists(x, kernel_size, stride, pad, dilation);
  TORCH_CHECK(grad.dim() == x.dim(), "max_pool3d_with_indices_backward: Expected a gradient of ", x.dim(),
              " dims, but got: ", grad.sizes());
  const onc_pool_attrs a = attributes<3>(kernel_size, stride, pad, dilation);
  check_max_pool3d(x, a, {grad.size(-3), grad.size(-2), grad.size(-1)}, &grad, &index);
  at::native::resize_output(grad_in, x.sizes());
  max_pool_grad_run(grad, index, a, grad_in);
  return grad_in;
}
at::Tensor max_pool3d_grad(const at::Tensor& grad, const at::Tensor& x, Ints kernel_size, Ints stride, Ints pad, Ints dilation,
                           bool ceil, const at::Tensor& index) {
  const auto format = x.dim() == 5 ? x.suggest_memory_format() : c10::MemoryFormat::Contiguous;
  at::Tensor grad_in = at::empty(x.sizes(), x.options().memory_format(format));
  return max_pool3d_grad_out(grad, x, kernel_size, stride, pad, dilation, ceil, index, grad_in);
}

// --- averages

template <uint32_t kRank>
onc_pool_attrs average(Ints kernel_size, Ints stride, Ints pad, bool count_pad, std::optional<int64_t> divisor) {
  onc_pool_attrs out = attributes<kRank>(kernel_size, stride, pad, {1});
  out.count_include_pad = count_pad;
  out.divisor_override = std::abs(divisor.value_or(0));
  return out;
}
// PyTorch takes any divisor but 0, the op none below it.
void sign_of_divisor(std::optional<int64_t> divisor, const at::Tensor& out) {
  if (divisor.value_or(0) < 0) out.neg_();
}

template <class Meta, uint32_t kRank>
at::Tensor& avg_pool(const at::Tensor& x, Ints kernel_size, Ints stride, Ints pad, bool ceil, bool count_pad,
                     std::optional<int64_t> divisor, at::Tensor& out) {
  need_floating(x, "average pooling");
  Shaped<Meta> shaped({out});
  shaped.meta(x, kernel_size, stride, pad, ceil, count_pad, divisor);
  if (out.numel() == 0) return out;
  const Dense to(out);
  const at::Tensor input = batched(x.contiguous(), kRank), o = batched(to.to, kRank);
  Op op(ONC_OP_AVG_POOL);
  op.in(in_ref(input)).out(out_ref(o)).attrs(average<kRank>(kernel_size, stride, pad, count_pad, divisor));
  run(op, x.device().index());
  sign_of_divisor(divisor, to.to);
  to.finish();
  return out;
}
template <class Meta, uint32_t kRank>
at::Tensor& avg_pool_grad(const at::Tensor& grad, const at::Tensor& x, Ints kernel_size, Ints stride, Ints pad, bool ceil,
                          bool count_pad, std::optional<int64_t> divisor, at::Tensor& grad_in) {
  need_floating(x, "average pooling");
  Shaped<Meta> shaped({grad_in});
  shaped.meta(grad, x, kernel_size, stride, pad, ceil, count_pad, divisor);
  if (grad_in.numel() == 0) return grad_in;
  const Dense to(grad_in);
  const at::Tensor g = batched(grad.contiguous(), kRank), o = batched(to.to, kRank);
  Op op(ONC_OP_AVG_POOL_GRAD);
  op.in(in_ref(g)).out(out_ref(o)).attrs(average<kRank>(kernel_size, stride, pad, count_pad, divisor));
  run(op, x.device().index());
  sign_of_divisor(divisor, to.to);
  to.finish();
  return grad_in;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::max_pool2d_with_indices_out, max_pool2d_out>(m);
  kernel<at::_ops::max_pool2d_with_indices_backward_grad_input, max_pool2d_grad>(m);
  kernel<at::_ops::max_pool3d_with_indices, max_pool3d>(m);
  kernel<at::_ops::max_pool3d_with_indices_out, max_pool3d_out>(m);
  kernel<at::_ops::max_pool3d_with_indices_backward, max_pool3d_grad>(m);
  kernel<at::_ops::max_pool3d_with_indices_backward_grad_input, max_pool3d_grad_out>(m);
  kernel<at::_ops::avg_pool2d_out, avg_pool<at::meta::structured_avg_pool2d, 2>>(m);
  kernel<at::_ops::avg_pool2d_backward_grad_input, avg_pool_grad<at::meta::structured_avg_pool2d_backward, 2>>(m);
  kernel<at::_ops::avg_pool3d_out, avg_pool<at::meta::structured_avg_pool3d, 3>>(m);
  kernel<at::_ops::avg_pool3d_backward_grad_input, avg_pool_grad<at::meta::structured_avg_pool3d_backward, 3>>(m);
}

}  // namespace oncilla::adapter
