// Layer and RMS normalisation: x as [rows, columns] of LAYER_NORM, which rounds half types once, at the end.
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/ops/_fused_rms_norm_backward_ops.h>
#include <ATen/ops/_fused_rms_norm_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/native_layer_norm_backward_ops.h>
#include <ATen/ops/native_layer_norm_ops.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "torch/norm.hpp"

namespace oncilla::adapter {
namespace {

using namespace norm;
using Ints = at::IntArrayRef;

struct Rows {
  int64_t rows = 1, columns = 1;
  std::vector<int64_t> statistics;  // the sizes of mean and invstd: 1 in the dims that are normalised
};

Rows rows_of(const at::Tensor& x, Ints normalized, const at::Tensor& weight, const at::Tensor& bias) {
  const int64_t outer = x.dim() - static_cast<int64_t>(normalized.size());
  TORCH_CHECK(!normalized.empty() && outer >= 0 && x.sizes().slice(static_cast<size_t>(std::max<int64_t>(outer, 0))) == normalized,
              "Given normalized_shape=", normalized, ", expected input with shape [*, ", normalized, "], but got input of size ",
              x.sizes());
  for (const at::Tensor& t : {weight, bias}) {
    TORCH_CHECK(!t.defined() || t.sizes() == normalized,
                "Expected weight and bias to be of same shape as normalized_shape, but got ", t.sizes(),
                " and normalized_shape = ", normalized);
  }
  Rows out;
  for (int64_t d = 0; d < x.dim(); ++d) {
    (d < outer ? out.rows : out.columns) *= x.size(d);
    out.statistics.push_back(d < outer ? x.size(d) : 1);
  }
  return out;
}

onc_layer_norm_attrs attributes(bool rms) {
  onc_layer_norm_attrs out{};
  out.normalized_rank = 1;
  out.rms = rms;
  return out;
}

at::Tensor flat(const at::Tensor& t, at::ScalarType type) { return t.defined() ? as(t, type).view({t.numel()}) : t; }

// mean is undefined for RMS.
void forward(const at::Tensor& given, const Rows& r, const at::Tensor& weight, const at::Tensor& bias, double eps,
             const at::Tensor& out, const at::Tensor& mean, const at::Tensor& invstd) {
  const auto type = parameter_type(given, weight, bias);
  const at::Tensor x = given.contiguous().view({r.rows, r.columns}), y = out.view({r.rows, r.columns});
  const at::Tensor w = flat(weight, type), b = flat(bias, type), s = invstd.view({r.rows});
  const at::Tensor m = mean.defined() ? mean.view({r.rows}) : mean;
  Op op(ONC_OP_LAYER_NORM);
  op.in(in_ref(x));
  maybe_in(op, w);
  maybe_in(op, b);
  op.out(out_ref(y));
  maybe_out(op, m);
  op.out(out_ref(s)).attrs(attributes(!mean.defined())).scalar(eps);
  run(op, x.device().index());
}

// Three gradients, as far as mask asks for them and what they are of is there. bias may be undefined although its gradient is not.
Three backward(const at::Tensor& grad, const at::Tensor& given, Ints normalized, const at::Tensor& mean, const at::Tensor& invstd,
               const at::Tensor& weight, const at::Tensor& bias, std::array<bool, 3> mask) {
  need_floating(given, "normalisation");
  const Rows r = rows_of(given, normalized, weight, bias);
  const auto type = parameter_type(given, weight, bias), wide = wide_of(given.scalar_type());
  const auto options = given.options();
  at::Tensor gx, gw, gb;
  if (mask[0]) gx = at::empty(given.sizes(), options);
  if (mask[1] && weight.defined()) gw = at::empty(normalized, options.dtype(type));
  if (mask[2] && bias.defined()) gb = at::empty(normalized, options.dtype(type));
  if (!gx.defined() && !gw.defined() && !gb.defined()) return {};
  if (given.numel() == 0) {
    if (gw.defined()) gw.zero_();
    if (gb.defined()) gb.zero_();
  } else {
    const std::array<int64_t, 2> sizes{r.rows, r.columns};
    const at::Tensor x = given.contiguous().view(sizes), g = as(grad, given.scalar_type()).view(sizes);
    const at::Tensor m = flat(mean, wide), s = flat(invstd, wide), w = flat(weight, type);
    const at::Tensor x_out = gx.defined() ? gx.view(sizes) : gx, w_out = gw.defined() ? gw.view({r.columns}) : gw,
                     b_out = gb.defined() ? gb.view({r.columns}) : gb;
    Op op(ONC_OP_LAYER_NORM_GRAD);
    op.in(in_ref(g)).in(in_ref(x));
    maybe_in(op, w);
    maybe_in(op, m);
    op.in(in_ref(s));
    maybe_out(op, x_out);
    maybe_out(op, w_out);
    maybe_out(op, b_out);
    op.attrs(attributes(!mean.defined()));
    run(op, x.device().index());
  }
  return {gx, gw.defined() ? gw.to(weight.scalar_type()) : gw, gb.defined() ? gb.to(bias.scalar_type()) : gb};
}

Three layer_norm(const at::Tensor& x, c10::SymIntArrayRef shape, const Maybe& weight, const Maybe& bias, double eps) {
  need_floating(x, "layer norm");
  const Rows r = rows_of(x, C10_AS_INTARRAYREF_SLOW(shape), of(weight), of(bias));
  const at::Tensor out = at::empty(x.sizes(), x.options());
  const at::Tensor mean = at::empty(r.statistics, x.options().dtype(wide_of(x.scalar_type()))), invstd = at::empty_like(mean);
  if (x.numel() == 0) return {out, mean.zero_(), invstd.zero_()};
  forward(x, r, of(weight), of(bias), eps, out, mean, invstd);
  return {out, mean, invstd};
}
Three layer_norm_grad(const at::Tensor& grad, const at::Tensor& x, c10::SymIntArrayRef shape, const at::Tensor& mean,
                      const at::Tensor& invstd, const Maybe& weight, const Maybe& bias, std::array<bool, 3> mask) {
  return backward(grad, x, C10_AS_INTARRAYREF_SLOW(shape), mean, invstd, of(weight), of(bias), mask);
}

// Without an eps it is that of the dtype in which PyTorch computes.
std::tuple<at::Tensor, at::Tensor> rms_norm(const at::Tensor& x, Ints shape, const Maybe& weight, std::optional<double> eps) {
  need_floating(x, "RMS norm");
  const Rows r = rows_of(x, shape, of(weight), {});
  const auto wide = wide_of(x.scalar_type());
  const double least = wide == at::kDouble ? std::numeric_limits<double>::epsilon() : std::numeric_limits<float>::epsilon();
  const at::Tensor out = at::empty(x.sizes(), x.options()), invstd = at::empty(r.statistics, x.options().dtype(wide));
  if (x.numel() == 0) return {out, invstd.zero_()};
  forward(x, r, of(weight), {}, eps.value_or(least), out, {}, invstd);
  return {out, invstd};
}
std::tuple<at::Tensor, at::Tensor> rms_norm_grad(const at::Tensor& grad, const at::Tensor& x, Ints shape, const at::Tensor& invstd,
                                                 const Maybe& weight, std::array<bool, 2> mask) {
  const auto [gx, gw, gb] = backward(grad, x, shape, {}, invstd, of(weight), {}, {mask[0], mask[1], false});
  return {gx, gw};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::native_layer_norm, layer_norm>(m);
  kernel<at::_ops::native_layer_norm_backward, layer_norm_grad>(m);
  kernel<at::_ops::_fused_rms_norm, rms_norm>(m);
  kernel<at::_ops::_fused_rms_norm_backward, rms_norm_grad>(m);
}

}  // namespace oncilla::adapter
