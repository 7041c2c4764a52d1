// Batch normalisation: through its own op in training, as a tape in inference.
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/ops/_batch_norm_no_update_ops.h>
#include <ATen/ops/_batch_norm_with_update_ops.h>
#include <ATen/ops/_native_batch_norm_legit_ops.h>
#include <ATen/ops/batch_norm_backward_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/native_batch_norm_backward_ops.h>
#include <ATen/ops/native_batch_norm_ops.h>
#include <ATen/ops/zeros_like.h>

#include "torch/norm.hpp"
#include "torch/pointwise.hpp"

namespace oncilla::adapter {
namespace {

using namespace norm;

// [C] as a view that broadcasts over dim 1 of x.
at::Tensor per_channel(const at::Tensor& t, const at::Tensor& x) {
  if (!t.defined()) return t;
  std::vector<int64_t> sizes(static_cast<size_t>(x.dim()), 1);
  sizes[1] = x.size(1);
  return t.view(sizes);
}

void check_batch_norm(const at::Tensor& x) {
  need_floating(x, "batch norm");
  TORCH_CHECK(x.dim() >= 2, "batch norm expects an input of two dims or more, not ", x.dim());
}

Three training(const at::Tensor& given, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& mean,
               const at::Tensor& var, double momentum, double eps) {
  check_batch_norm(given);
  const auto wide = wide_of(given.scalar_type());
  const at::Tensor x = given.to(wide).contiguous(), w = as(weight, wide), b = as(bias, wide);
  const at::Tensor rm = as(mean, wide), rv = as(var, wide);
  const at::Tensor out = at::empty(x.sizes(), x.options());
  const at::Tensor save_mean = at::empty({x.size(1)}, x.options()), save_invstd = at::empty({x.size(1)}, x.options());
  if (x.numel() == 0) return {given.clone(), save_mean.zero_(), save_invstd.zero_()};
  Op op(ONC_OP_BATCH_NORM);
  op.in(in_ref(x));
  maybe_in(op, w);
  maybe_in(op, b);
  maybe_in(op, rm);
  maybe_in(op, rv);
  op.out(out_ref(out)).out(out_ref(save_mean)).out(out_ref(save_invstd));
  maybe_out(op, rm);
  maybe_out(op, rv);
  op.scalar(eps).scalar(momentum);
  run(op, x.device().index());
  if (mean.defined() && !rm.is_same(mean)) mean.copy_(rm);
  if (var.defined() && !rv.is_same(var)) var.copy_(rv);
  return {out.to(given.scalar_type()), save_mean, save_invstd};
}

at::Tensor inference(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& mean,
                     const at::Tensor& var, double eps) {
  check_batch_norm(x);
  TORCH_CHECK(mean.defined() && var.defined(), "batch norm in inference needs running_mean and running_var");
  const at::Tensor out = at::empty_like(x);
  auto config = at::TensorIteratorConfig();
  const at::Tensor m = per_channel(mean, x), v = per_channel(var, x), w = per_channel(weight, x), b = per_channel(bias, x);
  config.add_output(out).add_const_input(x).add_const_input(m).add_const_input(v).check_all_same_dtype(false);
  if (w.defined()) config.add_const_input(w);
  if (b.defined()) config.add_const_input(b);
  auto iter = config.build();
  pointwise(iter, x.scalar_type(), {}, [&](Ctx& c) {
    size_t next = 3;
    Value y = (c.x(0) - c.x(1)) * rsqrt(c.x(2) + c.s(c10::Scalar(eps)));
    if (w.defined()) y = y * c.x(next++);
    if (b.defined()) y = y + c.x(next);
    return y;
  });
  return out;
}

Three batch_norm(const at::Tensor& x, const Maybe& weight, const Maybe& bias, const Maybe& mean, const Maybe& var, bool train,
                 double momentum, double eps) {
  if (train) return training(x, of(weight), of(bias), of(mean), of(var), momentum, eps);
  const at::Tensor none = at::empty({0}, x.options().dtype(wide_of(x.scalar_type())));
  return {inference(x, of(weight), of(bias), of(mean), of(var), eps), none, none};
}
Three batch_norm_legit(const at::Tensor& x, const Maybe& weight, const Maybe& bias, at::Tensor& mean, at::Tensor& var, bool train,
                       double momentum, double eps) {
  return batch_norm(x, weight, bias, mean, var, train, momentum, eps);
}
Three batch_norm_no_stats(const at::Tensor& x, const Maybe& weight, const Maybe& bias, bool train, double momentum, double eps) {
  return batch_norm(x, weight, bias, {}, {}, train, momentum, eps);
}
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> batch_norm_with_update(const at::Tensor& x, const Maybe& weight,
                                                                                  const Maybe& bias, at::Tensor& mean,
                                                                                  at::Tensor& var, double momentum, double eps) {
  auto [out, save_mean, save_invstd] = batch_norm(x, weight, bias, mean, var, true, momentum, eps);
  return {out, save_mean, save_invstd, at::empty({0}, x.options().dtype(at::kByte))};
}
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> batch_norm_no_update(const at::Tensor& x, const Maybe& weight,
                                                                                const Maybe& bias, const Maybe& mean,
                                                                                const Maybe& var, double momentum, double eps) {
  auto [out, save_mean, save_invstd] = batch_norm(x, weight, bias, mean, var, false, momentum, eps);
  return {out, save_mean, save_invstd, at::empty({0}, x.options().dtype(at::kByte))};
}

at::Tensor inverse_deviation(const at::Tensor& var, double eps) {
  const at::Tensor out = at::empty_like(var);
  auto iter = at::TensorIteratorConfig().add_output(out).add_const_input(var).build();
  pointwise(iter, var.scalar_type(), {}, [&](Ctx& c) { return rsqrt(c.x(0) + c.s(c10::Scalar(eps))); });
  return out;
}

Three batch_norm_grad(const at::Tensor& grad_given, const at::Tensor& given, const Maybe& weight, const Maybe& running_mean,
                      const Maybe& running_var, const Maybe& save_mean, const Maybe& save_invstd, bool train, double eps,
                      std::array<bool, 3> mask) {
  check_batch_norm(given);
  const auto wide = wide_of(given.scalar_type());
  const at::Tensor grad = grad_given.to(wide).contiguous(), x = given.to(wide).contiguous(), w = as(of(weight), wide);
  const at::Tensor mean = as(train ? of(save_mean) : of(running_mean), wide);
  const at::Tensor invstd = train ? as(of(save_invstd), wide) : inverse_deviation(as(of(running_var), wide), eps);
  const int64_t channels = x.size(1);
  const at::Tensor gx = mask[0] ? at::empty(x.sizes(), x.options()) : at::Tensor();
  const at::Tensor gw = mask[1] ? at::empty({channels}, x.options()) : at::Tensor(),
                   gb = mask[2] ? at::empty({channels}, x.options()) : at::Tensor();
  if (x.numel() == 0) {
    if (gw.defined()) gw.zero_();
    if (gb.defined()) gb.zero_();
  } else {
    onc_batch_norm_grad_attrs attrs{};
    attrs.training = train;
    Op op(ONC_OP_BATCH_NORM_GRAD);
    op.in(in_ref(grad)).in(in_ref(x));
    maybe_in(op, w);
    op.in(in_ref(mean)).in(in_ref(invstd));
    maybe_out(op, gx);
    maybe_out(op, gw);
    maybe_out(op, gb);
    op.attrs(attrs);
    run(op, x.device().index());
  }
  const auto parameters = of(weight).defined() ? of(weight).scalar_type() : wide;
  return {gx.defined() ? gx.to(given.scalar_type()) : gx, gw.defined() ? gw.to(parameters) : gw,
          gb.defined() ? gb.to(parameters) : gb};
}
Three batch_norm_grad_reserve(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, const Maybe& running_mean,
                              const Maybe& running_var, const Maybe& save_mean, const Maybe& save_var, bool update, double eps,
                              std::array<bool, 3> mask, const at::Tensor&) {
  return batch_norm_grad(grad, x, weight, running_mean, running_var, save_mean, save_var, update, eps, mask);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::native_batch_norm, batch_norm>(m);
  kernel<at::_ops::_native_batch_norm_legit, batch_norm_legit>(m);
  kernel<at::_ops::_native_batch_norm_legit_no_stats, batch_norm_no_stats>(m);
  kernel<at::_ops::_batch_norm_with_update, batch_norm_with_update>(m);
  kernel<at::_ops::_batch_norm_no_update, batch_norm_no_update>(m);
  kernel<at::_ops::native_batch_norm_backward, batch_norm_grad>(m);
  kernel<at::_ops::batch_norm_backward, batch_norm_grad_reserve>(m);
}

}  // namespace oncilla::adapter
