// Pools whose windows differ in size: adaptive averages and maxima, fractional maxima. 1-D ones are 2-D ones for PyTorch.
#include "torch/kernel.hpp"

#include <ATen/native/AdaptivePooling.h>
#include <ATen/native/FractionalMaxPooling.h>
#include <ATen/native/Resize.h>

#include <ATen/ops/_adaptive_avg_pool2d_backward_ops.h>
#include <ATen/ops/_adaptive_avg_pool2d_ops.h>
#include <ATen/ops/_adaptive_avg_pool3d_backward_ops.h>
#include <ATen/ops/_adaptive_avg_pool3d_ops.h>
#include <ATen/ops/adaptive_avg_pool2d_ops.h>
#include <ATen/ops/adaptive_avg_pool3d_backward_ops.h>
#include <ATen/ops/adaptive_avg_pool3d_ops.h>
#include <ATen/ops/adaptive_max_pool2d_backward_meta.h>
#include <ATen/ops/adaptive_max_pool2d_backward_ops.h>
#include <ATen/ops/adaptive_max_pool2d_meta.h>
#include <ATen/ops/adaptive_max_pool2d_ops.h>
#include <ATen/ops/adaptive_max_pool3d_backward_meta.h>
#include <ATen/ops/adaptive_max_pool3d_backward_ops.h>
#include <ATen/ops/adaptive_max_pool3d_meta.h>
#include <ATen/ops/adaptive_max_pool3d_ops.h>
#include <ATen/ops/fractional_max_pool2d_backward_meta.h>
#include <ATen/ops/fractional_max_pool2d_backward_ops.h>
#include <ATen/ops/fractional_max_pool2d_meta.h>
#include <ATen/ops/fractional_max_pool2d_ops.h>
#include <ATen/ops/fractional_max_pool3d_backward_ops.h>
#include <ATen/ops/fractional_max_pool3d_meta.h>
#include <ATen/ops/fractional_max_pool3d_ops.h>

#include <algorithm>

#include "torch/indexing.hpp"
#include "torch/shaped.hpp"
#include "torch/spatial.hpp"

namespace oncilla::adapter {
namespace {

using Ints = at::IntArrayRef;
using Sizes = c10::SymIntArrayRef;

// --- averages

template <int64_t kRank>
constexpr const char* avg_name() {
  return kRank == 2 ? "adaptive_avg_pool2d" : "adaptive_avg_pool3d";
}
// PyTorch's 3-D results are dense in the usual order, whatever the input's layout.
template <int64_t kRank>
c10::MemoryFormat avg_format(const at::Tensor& x) {
  return kRank == 2 && x.dim() == 4 ? x.suggest_memory_format() : c10::MemoryFormat::Contiguous;
}

template <int64_t kRank>
std::vector<int64_t> avg_sizes(const at::Tensor& x, Ints size) {
  TORCH_CHECK(size.size() == kRank, avg_name<kRank>(), ": output_size must be ", kRank);
  TORCH_CHECK(x.dim() == kRank + 1 || x.dim() == kRank + 2, avg_name<kRank>(), "(): Expected ", kRank + 1, "D or ", kRank + 2,
              "D tensor, but got ", x.sizes());
  for (int64_t d = kRank == 2 ? x.dim() - 2 : 1; d < x.dim(); ++d) {
    TORCH_CHECK(x.size(d) > 0, avg_name<kRank>(), "(): Expected input to have non-zero size for non-batch dimensions, ",
                "but input has sizes ", x.sizes(), " with dimension ", d, " being empty");
  }
  std::vector<int64_t> sizes(x.sizes().begin(), x.sizes().end() - kRank);
  sizes.insert(sizes.end(), size.begin(), size.end());
  return sizes;
}
template <int64_t kRank>
void avg_run(uint32_t code, const at::Tensor& from, const at::Tensor& to) {
  if (to.numel() == 0) return;
  const at::Tensor in = batched(from, kRank), out = batched(to, kRank);
  Op op(code);
  op.in(in_ref(in)).out(out_ref(out));
  run(op, from.device().index());
}

template <int64_t kRank>
at::Tensor adaptive_avg(const at::Tensor& x, Sizes size) {
  need_floating(x, "adaptive pooling");
  const at::Tensor out =
      at::empty(avg_sizes<kRank>(x, C10_AS_INTARRAYREF_SLOW(size)), x.options().memory_format(avg_format<kRank>(x)));
  avg_run<kRank>(ONC_OP_ADAPTIVE_AVG_POOL, x, out);
  return out;
}
template <int64_t kRank>
at::Tensor& adaptive_avg_out(const at::Tensor& x, Sizes size, at::Tensor& out) {
  need_floating(x, "adaptive pooling");
  const auto sizes = avg_sizes<kRank>(x, C10_AS_INTARRAYREF_SLOW(size));
  TORCH_CHECK(x.dtype() == out.dtype(), "expected dtype ", x.dtype(), " for `output` but got dtype ", out.dtype());
  at::native::resize_output(out, sizes);
  avg_run<kRank>(ONC_OP_ADAPTIVE_AVG_POOL, x, out);
  return out;
}

template <int64_t kRank>
at::Tensor& adaptive_avg_grad_out(const at::Tensor& grad, const at::Tensor& x, at::Tensor& grad_in) {
  need_floating(x, "adaptive pooling");
  const char* name = kRank == 2 ? "adaptive_avg_pool2d_backward" : "adaptive_avg_pool3d_backward";
  at::native::adaptive_pool_empty_output_check(grad, name);
  TORCH_CHECK(x.dim() == kRank + 1 || x.dim() == kRank + 2, name, "(): Expected ", kRank + 1, "D or ", kRank + 2,
              "D tensor, but got ", x.sizes());
  TORCH_CHECK(x.dim() == grad.dim(), name, "(): Expected a gradient of ", x.dim(), " dims, but got ", grad.sizes());
  TORCH_CHECK(x.dtype() == grad.dtype(), "expected dtype ", x.dtype(), " for `grad_output` but got dtype ", grad.dtype());
  TORCH_CHECK(x.dtype() == grad_in.dtype(), "expected dtype ", x.dtype(), " for `grad_input` but got dtype ", grad_in.dtype());
  at::native::resize_output(grad_in, x.sizes());
  avg_run<kRank>(ONC_OP_ADAPTIVE_AVG_POOL_GRAD, grad, grad_in);
  return grad_in;
}
template <int64_t kRank>
at::Tensor adaptive_avg_grad(const at::Tensor& grad, const at::Tensor& x) {
  at::Tensor grad_in = at::empty(x.sizes(), x.options().memory_format(avg_format<kRank>(x)));
  return adaptive_avg_grad_out<kRank>(grad, x, grad_in);
}

// --- maxima

// The gradient of any pool that tells positions: each element of grad is added where its maximum was. grad_in is of the input's
// sizes.
void scatter_back(const at::Tensor& grad, const at::Tensor& index, int64_t rank, const at::Tensor& grad_in) {
  TORCH_CHECK(grad.sizes() == index.sizes(), "Expected grad_output and indices of the same sizes, but got ", grad.sizes(), " and ",
              index.sizes());
  TORCH_CHECK(grad.dim() == grad_in.dim() && grad.sizes().slice(0, static_cast<size_t>(grad.dim() - rank)) ==
                                                 grad_in.sizes().slice(0, static_cast<size_t>(grad_in.dim() - rank)),
              "Expected grad_output of the input's batch and channels, but got ", grad.sizes(), " for ", grad_in.sizes());
  if (grad_in.numel() == 0) return;
  if (grad.numel() == 0) {
    grad_in.zero_();
    return;
  }
  int64_t planes = 1;
  for (int64_t d = 0; d < grad.dim() - rank; ++d) planes *= grad.size(d);
  const auto flat = [planes](const at::Tensor& t) { return t.view({planes, t.numel() / planes}); };
  const Dense to(grad_in);
  const at::Tensor g = flat(grad.contiguous()), i = flat(index.contiguous()), o = flat(to.to);
  scatter_into({}, 1, i, g, ONC_SCATTER_SUM, true, o);
  to.finish();
}

template <class Meta, int64_t kRank>
std::tuple<at::Tensor&, at::Tensor&> adaptive_max(const at::Tensor& x, Ints size, at::Tensor& out, at::Tensor& index) {
  need_floating(x, "adaptive pooling");
  Shaped<Meta, 2> shaped({out, index});
  shaped.meta(x, size);
  if (out.numel() == 0) return {out, index};
  const at::Tensor in = batched(x, kRank), to = batched(out, kRank), to_index = batched(index, kRank);
  Op op(ONC_OP_ADAPTIVE_MAX_POOL);
  op.in(in_ref(in)).out(out_ref(to)).out(out_ref(to_index));
  run(op, x.device().index());
  return {out, index};
}
template <class Meta, int64_t kRank>
at::Tensor& adaptive_max_grad(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& index, at::Tensor& grad_in) {
  need_floating(x, "adaptive pooling");
  Shaped<Meta> shaped({grad_in});
  shaped.meta(grad, x, index);
  scatter_back(grad, index, kRank, grad_in);
  return grad_in;
}

// PyTorch places the windows of halves by arithmetic in halves.
void need_fractional(const at::Tensor& x) {
  if (x.scalar_type() != at::kFloat && x.scalar_type() != at::kDouble)
    throw Declined(std::string("fractional pooling in ") + c10::toString(x.scalar_type()));
}
template <class Meta, int64_t kRank>
std::tuple<at::Tensor&, at::Tensor&> fractional_max(const at::Tensor& x, Ints kernel_size, Ints size, const at::Tensor& samples,
                                                    at::Tensor& out, at::Tensor& index) {
  need_fractional(x);
  Shaped<Meta, 2> shaped({out, index});
  shaped.meta(x, kernel_size, size, samples);
  at::native::fractional_max_pool_check_shape<kRank>(x, samples);
  if (out.numel() == 0) return {out, index};
  const at::Tensor in = batched(x, kRank), to = batched(out, kRank), to_index = batched(index, kRank);
  const at::Tensor draws = samples.narrow(0, 0, in.size(0));  // there may be more than are needed
  onc_fractional_pool_attrs attrs{};
  attrs.spatial_rank = kRank;
  std::copy(kernel_size.begin(), kernel_size.end(), attrs.kernel);
  Op op(ONC_OP_FRACTIONAL_MAX_POOL);
  op.in(in_ref(in)).in(in_ref(draws)).out(out_ref(to)).out(out_ref(to_index)).attrs(attrs);
  run(op, x.device().index());
  return {out, index};
}
at::Tensor& fractional_max2d_grad(const at::Tensor& grad, const at::Tensor& x, Ints kernel_size, Ints size, const at::Tensor& index,
                                  at::Tensor& grad_in) {
  need_fractional(x);
  Shaped<at::meta::structured_fractional_max_pool2d_backward> shaped({grad_in});
  shaped.meta(grad, x, kernel_size, size, index);
  scatter_back(grad, index, 2, grad_in);
  return grad_in;
}
at::Tensor& fractional_max3d_grad_out(const at::Tensor& grad, const at::Tensor& x, Ints, Ints size, const at::Tensor& index,
                                      at::Tensor& grad_in) {
  need_fractional(x);
  const char* name = "fractional_max_pool3d_backward_out(): ";
  TORCH_CHECK(size.size() == 3 && grad.dim() >= 3, name, "Expected three output sizes and three spatial dims");
  TORCH_CHECK(size[0] == grad.size(-3), name, "gradOutput time unexpected");
  TORCH_CHECK(size[1] == grad.size(-2), name, "gradOutput height unexpected");
  TORCH_CHECK(size[2] == grad.size(-1), name, "gradOutput width unexpected");
  at::native::resize_output(grad_in, x.sizes());
  scatter_back(grad, index, 3, grad_in);
  return grad_in;
}
at::Tensor fractional_max3d_grad(const at::Tensor& grad, const at::Tensor& x, Ints kernel_size, Ints size,
                                 const at::Tensor& index) {
  at::Tensor grad_in = at::empty(x.sizes(), x.options());
  return fractional_max3d_grad_out(grad, x, kernel_size, size, index, grad_in);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::_adaptive_avg_pool2d, adaptive_avg<2>>(m);
  kernel<at::_ops::adaptive_avg_pool2d_out, adaptive_avg_out<2>>(m);
  kernel<at::_ops::_adaptive_avg_pool2d_backward, adaptive_avg_grad<2>>(m);
  kernel<at::_ops::_adaptive_avg_pool3d, adaptive_avg<3>>(m);
  kernel<at::_ops::adaptive_avg_pool3d_out, adaptive_avg_out<3>>(m);
  kernel<at::_ops::_adaptive_avg_pool3d_backward, adaptive_avg_grad<3>>(m);
  kernel<at::_ops::adaptive_avg_pool3d_backward_grad_input, adaptive_avg_grad_out<3>>(m);
  kernel<at::_ops::adaptive_max_pool2d_out, adaptive_max<at::meta::structured_adaptive_max_pool2d, 2>>(m);
  kernel<at::_ops::adaptive_max_pool2d_backward_grad_input,
         adaptive_max_grad<at::meta::structured_adaptive_max_pool2d_backward, 2>>(m);
  kernel<at::_ops::adaptive_max_pool3d_out, adaptive_max<at::meta::structured_adaptive_max_pool3d, 3>>(m);
  kernel<at::_ops::adaptive_max_pool3d_backward_grad_input,
         adaptive_max_grad<at::meta::structured_adaptive_max_pool3d_backward, 3>>(m);
  kernel<at::_ops::fractional_max_pool2d_output, fractional_max<at::meta::structured_fractional_max_pool2d, 2>>(m);
  kernel<at::_ops::fractional_max_pool2d_backward_grad_input, fractional_max2d_grad>(m);
  kernel<at::_ops::fractional_max_pool3d_output, fractional_max<at::meta::structured_fractional_max_pool3d, 3>>(m);
  kernel<at::_ops::fractional_max_pool3d_backward, fractional_max3d_grad>(m);
  kernel<at::_ops::fractional_max_pool3d_backward_grad_input, fractional_max3d_grad_out>(m);
}

}  // namespace oncilla::adapter
