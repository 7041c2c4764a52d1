// Normalisation: batch norm through its own op in training and as a tape in inference; layer norm as tapes with a trailing
// reduction, native so that half types round once, at the end.
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
#include <ATen/ops/native_layer_norm_backward_ops.h>
#include <ATen/ops/native_layer_norm_ops.h>
#include <ATen/ops/zeros_like.h>

#include "torch/reduce.hpp"

namespace oncilla::adapter {
namespace {

using Maybe = std::optional<at::Tensor>;
using Three = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

at::Tensor of(const Maybe& t) { return t && t->defined() ? *t : at::Tensor(); }
// Parameters and statistics are computed in the input's accumulation dtype.
at::Tensor as(const at::Tensor& t, at::ScalarType type) { return t.defined() ? t.to(type).contiguous() : t; }
at::ScalarType wide_of(at::ScalarType type) { return type == at::kDouble ? at::kDouble : at::kFloat; }

Op& maybe_in(Op& op, const at::Tensor& t) { return t.defined() ? op.in(in_ref(t)) : op.no_in(); }
Op& maybe_out(Op& op, const at::Tensor& t) { return t.defined() ? op.out(out_ref(t)) : op.no_out(); }

// [C] as a view that broadcasts over dim 1 of x.
at::Tensor per_channel(const at::Tensor& t, const at::Tensor& x) {
  if (!t.defined()) return t;
  std::vector<int64_t> sizes(static_cast<size_t>(x.dim()), 1);
  sizes[1] = x.size(1);
  return t.view(sizes);
}

void check_batch_norm(const at::Tensor& x) {
  need_dtype(x.scalar_type());
  if (!x.is_floating_point()) throw Declined(std::string("batch norm in ") + c10::toString(x.scalar_type()));
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

// --- layer norm: x as [rows, columns]

struct Rows {
  int64_t rows = 1, columns = 1;
};
Rows rows_of(const at::Tensor& x, at::IntArrayRef normalized) {
  const auto outer = x.dim() - static_cast<int64_t>(normalized.size());
  TORCH_CHECK(!normalized.empty() && outer >= 0 && x.sizes().slice(static_cast<size_t>(std::max<int64_t>(outer, 0))) == normalized,
              "Given normalized_shape=", normalized, ", expected input with shape [*, ", normalized, "], but got input of size ",
              x.sizes());
  Rows out;
  for (int64_t d = 0; d < x.dim(); ++d) (d < outer ? out.rows : out.columns) *= x.size(d);
  return out;
}
std::vector<int64_t> statistics_size(const at::Tensor& x, size_t normalized) {
  std::vector<int64_t> out(x.sizes().begin(), x.sizes().end());
  for (size_t d = out.size() - normalized; d < out.size(); ++d) out[d] = 1;
  return out;
}

// out = fn over inputs that broadcast, computing in `wide`.
void map(const at::Tensor& out, std::initializer_list<at::Tensor> ins, at::ScalarType wide, Fn fn) {
  at::TensorIteratorConfig config;
  config.add_output(out).check_all_same_dtype(false).resize_outputs(false);
  for (const at::Tensor& in : ins) {
    if (in.defined()) config.add_const_input(in);
  }
  auto iter = config.build();
  pointwise(iter, wide, {}, fn);
}

Three layer_norm(const at::Tensor& given, c10::SymIntArrayRef shape, const Maybe& weight, const Maybe& bias, double eps) {
  need_dtype(given.scalar_type());
  if (!given.is_floating_point()) throw Declined("layer norm of integers");
  const auto normalized = C10_AS_INTARRAYREF_SLOW(shape);
  const Rows r = rows_of(given, normalized);
  const auto wide = wide_of(given.scalar_type());
  const at::Tensor out = at::empty(given.sizes(), given.options());
  const at::Tensor mean = at::empty(statistics_size(given, normalized.size()), given.options().dtype(wide)),
                   rstd = at::empty_like(mean);
  if (given.numel() == 0) return {out, mean.zero_(), rstd.zero_()};
  const at::Tensor x = given.contiguous().view({r.rows, r.columns}), m = mean.view({r.rows, 1}), s = rstd.view({r.rows, 1});
  const at::Tensor w = of(weight).defined() ? of(weight).contiguous().view({1, r.columns}) : at::Tensor();
  const at::Tensor b = of(bias).defined() ? of(bias).contiguous().view({1, r.columns}) : at::Tensor();
  const Dims columns(2);
  const c10::Scalar count(static_cast<double>(r.columns));
  reduce(m, x, columns, wide, {}, [&](Ctx& c) { return c.tape.reduce(ONC_EX_REDUCE_SUM, c.x(0)) / c.s(count); });
  const std::array<at::Tensor, 2> ins{x, m.expand(x.sizes())};
  reduce(s, ins, columns, wide, {}, [&](Ctx& c) {
    const Value off = c.x(0) - c.x(1);
    return rsqrt(c.tape.reduce(ONC_EX_REDUCE_SUM, off * off) / c.s(count) + c.s(c10::Scalar(eps)));
  });
  map(out.view({r.rows, r.columns}), {x, m, s, w, b}, wide, [&](Ctx& c) {
    size_t next = 3;
    Value y = (c.x(0) - c.x(1)) * c.x(2);
    if (w.defined()) y = y * c.x(next++);
    if (b.defined()) y = y + c.x(next);
    return y;
  });
  return {out, mean, rstd};
}

Three layer_norm_grad(const at::Tensor& grad, const at::Tensor& given, c10::SymIntArrayRef shape, const at::Tensor& mean,
                      const at::Tensor& rstd, const Maybe& weight, const Maybe& bias, std::array<bool, 3> mask) {
  need_dtype(given.scalar_type());
  const auto normalized = C10_AS_INTARRAYREF_SLOW(shape);
  const Rows r = rows_of(given, normalized);
  const auto wide = wide_of(given.scalar_type());
  at::Tensor gx, gw, gb;
  if (mask[0]) gx = at::empty(given.sizes(), given.options());
  if (mask[1] && of(weight).defined()) gw = at::empty(normalized, of(weight).options());
  if (mask[2] && of(bias).defined()) gb = at::empty(normalized, of(bias).options());
  if (given.numel() == 0) {
    if (gw.defined()) gw.zero_();
    if (gb.defined()) gb.zero_();
    return {gx, gw, gb};
  }
  const at::Tensor x = given.contiguous().view({r.rows, r.columns}), g = grad.contiguous().view({r.rows, r.columns});
  const at::Tensor m = mean.contiguous().view({r.rows, 1}), s = rstd.contiguous().view({r.rows, 1});
  const at::Tensor w = of(weight).defined() ? of(weight).contiguous().view({1, r.columns}) : at::Tensor();
  if (gx.defined()) {
    // grad_x = s * (gw - mean(gw) - xhat * mean(gw * xhat)), with gw = g * w
    const at::Tensor a = at::empty({r.rows, 1}, x.options().dtype(wide)), b = at::empty_like(a);
    std::vector<at::Tensor> ins{g, x, m.expand(x.sizes()), s.expand(x.sizes())};
    if (w.defined()) ins.push_back(w.expand(x.sizes()));
    const std::array<at::Tensor, 2> sums{a, b};
    const c10::Scalar count(static_cast<double>(r.columns));
    reduce(sums, ins, Dims(2), wide, {}, [&](Ctx& c) {
      const Value scaled = w.defined() ? c.x(0) * c.x(4) : c.x(0), n = c.s(count);
      c.out(c.tape.reduce(ONC_EX_REDUCE_SUM, scaled) / n);
      c.out(c.tape.reduce(ONC_EX_REDUCE_SUM, scaled * (c.x(1) - c.x(2)) * c.x(3)) / n);
      return Value();
    });
    map(gx.view({r.rows, r.columns}), {g, x, m, s, a, b, w}, wide, [&](Ctx& c) {
      const Value scaled = w.defined() ? c.x(0) * c.x(6) : c.x(0);
      return c.x(3) * (scaled - c.x(4) - (c.x(1) - c.x(2)) * c.x(3) * c.x(5));
    });
  }
  const std::array<at::Tensor, 4> ins{g, x, m.expand(x.sizes()), s.expand(x.sizes())};
  if (gw.defined()) {
    reduce(gw.view({r.columns}), ins, Dims(1), wide, {},
           [](Ctx& c) { return c.tape.reduce(ONC_EX_REDUCE_SUM, c.x(0) * (c.x(1) - c.x(2)) * c.x(3)); });
  }
  if (gb.defined())
    reduce(gb.view({r.columns}), g, Dims(1), wide, {}, [](Ctx& c) { return c.tape.reduce(ONC_EX_REDUCE_SUM, c.x(0)); });
  return {gx, gw, gb};
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
  kernel<at::_ops::native_layer_norm, layer_norm>(m);
  kernel<at::_ops::native_layer_norm_backward, layer_norm_grad>(m);
}

}  // namespace oncilla::adapter
