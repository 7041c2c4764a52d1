// What normalisations and statistics demand.
#include <functional>
#include <numeric>

#include "kit/check.hpp"

namespace oncilla::kit::rules {
namespace {

int64_t product(const Dims& dims) { return std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>()); }

// Weights, biases and running statistics share x's dtype, or float32 where x is a half; each has these dims.
void check_parameters(const Rules& r, const Named& x, std::initializer_list<Named> tensors, const Dims& dims) {
  const Named* first = nullptr;
  for (const Named& t : tensors) {
    if (!t) continue;
    r.dims(t, dims);
    r.holds(t->dtype == x->dtype || (is_half(x->dtype) && t->dtype == ONC_F32), t.name, " is ", dtype_name(t->dtype), ", not ",
            dtype_name(x->dtype), is_half(x->dtype) ? " or float32" : "");
    if (first == nullptr) first = &t;
    r.holds(t->dtype == first->tensor->dtype, t.name, " is ", dtype_name(t->dtype), ", but ", first->name, " is ",
            dtype_name(first->tensor->dtype));
  }
}

// What is saved for the backward.
void check_statistics(const Rules& r, const Named& x, std::initializer_list<Named> tensors, const Dims& dims) {
  for (const Named& t : tensors) r.like(t, arithmetic_dtype(x->dtype), dims);
}

void check_some_output(const Rules& r) {
  for (size_t i = 0; i < r.desc.out.size(); ++i) {
    if (r.desc.has_out(i)) return;
  }
  r.holds(false, "all outputs are absent");
}

// x without its last n dims, and those.
struct Split {
  Dims leading, trailing;
  Split(const Named& x, uint32_t n) : leading(x->dims.begin(), x->dims.end() - n), trailing(x->dims.end() - n, x->dims.end()) {}
};

Split layer_norm_rows(const Rules& r, const Named& x) {
  const auto attrs = r.desc.attributes<onc_layer_norm_attrs>();
  r.floating(x);
  r.holds(attrs.normalized_rank >= 1 && attrs.normalized_rank <= x->rank(), "normalized_rank ", attrs.normalized_rank,
          " is not in 1 ... ", x->rank());
  r.flag("rms", attrs.rms);
  const Split rows(x, attrs.normalized_rank);
  r.holds(product(rows.trailing) > 0, x, " has rows without elements: no mean");
  return rows;
}

Dims group_norm_groups(const Rules& r, const Named& x) {
  const auto attrs = r.desc.attributes<onc_group_norm_attrs>();
  r.floating(x);
  r.min_rank(x, 2);
  r.holds(attrs.groups >= 1 && x->dims[1] % attrs.groups == 0, "groups ", attrs.groups, " do not divide the channels of ", x);
  r.holds(product(Split(x, x->rank() - 1).trailing) > 0, x, " has groups without elements: no mean");
  r.reserved(attrs.reserved);
  return {x->dims[0], attrs.groups};
}

}  // namespace

void batch_norm(const Rules& r) {
  const Named x = r.in(0, "x"), y = r.out(0, "y");
  r.floating(x);
  r.min_rank(x, 2);
  r.like(y, x->dtype, x->dims);
  r.holds(x->dims[1] == 0 || x->numel() > 0, x, " has no element in a channel: no mean");
  const Dims channels{x->dims[1]};
  check_parameters(r, x,
                   {r.maybe_in(1, "weight"), r.maybe_in(2, "bias"), r.maybe_in(3, "running_mean"), r.maybe_in(4, "running_var"),
                    r.maybe_out(3, "new_running_mean"), r.maybe_out(4, "new_running_var")},
                   channels);
  check_statistics(r, x, {r.maybe_out(1, "mean"), r.maybe_out(2, "invstd")}, channels);
  r.holds(!r.desc.has_out(3) || r.desc.has_in(3), "new_running_mean needs running_mean");
  r.holds(!r.desc.has_out(4) || r.desc.has_in(4), "new_running_var needs running_var");
}

void batch_norm_grad(const Rules& r) {
  const auto attrs = r.desc.attributes<onc_batch_norm_grad_attrs>();
  const Named grad_out = r.in(0, "grad_out"), x = r.in(1, "x"), grad_in = r.maybe_out(0, "grad_in");
  r.floating(x);
  r.min_rank(x, 2);
  r.like(grad_out, x->dtype, x->dims);
  r.like(grad_in, x->dtype, x->dims);
  const Dims channels{x->dims[1]};
  check_parameters(r, x, {r.maybe_in(2, "weight"), r.maybe_out(1, "grad_weight"), r.maybe_out(2, "grad_bias")}, channels);
  check_statistics(r, x, {r.in(3, "mean"), r.in(4, "invstd")}, channels);
  check_some_output(r);
  r.flag("training", attrs.training);
  r.reserved(attrs.reserved);
}

void layer_norm(const Rules& r) {
  const Named x = r.in(0, "x"), y = r.out(0, "y"), mean = r.maybe_out(1, "mean");
  const Split rows = layer_norm_rows(r, x);
  r.like(y, x->dtype, x->dims);
  check_parameters(r, x, {r.maybe_in(1, "weight"), r.maybe_in(2, "bias")}, rows.trailing);
  check_statistics(r, x, {mean, r.maybe_out(2, "invstd")}, rows.leading);
  r.holds(!mean || r.desc.attributes<onc_layer_norm_attrs>().rms == 0, "mean is no output of rms");
}

void layer_norm_grad(const Rules& r) {
  const Named grad_out = r.in(0, "grad_out"), x = r.in(1, "x"), mean = r.maybe_in(3, "mean");
  const Split rows = layer_norm_rows(r, x);
  r.like(grad_out, x->dtype, x->dims);
  r.like(r.maybe_out(0, "grad_in"), x->dtype, x->dims);
  check_parameters(r, x, {r.maybe_in(2, "weight"), r.maybe_out(1, "grad_weight"), r.maybe_out(2, "grad_bias")}, rows.trailing);
  check_statistics(r, x, {mean, r.in(4, "invstd")}, rows.leading);
  const bool rms = r.desc.attributes<onc_layer_norm_attrs>().rms != 0;
  r.holds(static_cast<bool>(mean) != rms, rms ? "mean is no input of rms" : "mean is absent");
  check_some_output(r);
}

void group_norm(const Rules& r) {
  const Named x = r.in(0, "x"), y = r.out(0, "y");
  const Dims groups = group_norm_groups(r, x);
  r.like(y, x->dtype, x->dims);
  check_parameters(r, x, {r.maybe_in(1, "weight"), r.maybe_in(2, "bias")}, {x->dims[1]});
  check_statistics(r, x, {r.maybe_out(1, "mean"), r.maybe_out(2, "invstd")}, groups);
}

void group_norm_grad(const Rules& r) {
  const Named grad_out = r.in(0, "grad_out"), x = r.in(1, "x");
  const Dims groups = group_norm_groups(r, x);
  r.like(grad_out, x->dtype, x->dims);
  r.like(r.maybe_out(0, "grad_in"), x->dtype, x->dims);
  check_parameters(r, x, {r.maybe_in(2, "weight"), r.maybe_out(1, "grad_weight"), r.maybe_out(2, "grad_bias")}, {x->dims[1]});
  check_statistics(r, x, {r.in(3, "mean"), r.in(4, "invstd")}, groups);
  check_some_output(r);
}

void var_mean(const Rules& r) {
  const auto attrs = r.desc.attributes<onc_var_mean_attrs>();
  const Named x = r.in(0, "x");
  r.floating(x);
  r.holds(attrs.reduce_rank <= x->rank(), "reduce_rank ", attrs.reduce_rank, " is above the rank of ", x);
  r.reserved(attrs.reserved);
  const Dims leading = Split(x, attrs.reduce_rank).leading;
  r.like(r.maybe_out(0, "var"), x->dtype, leading);
  r.like(r.maybe_out(1, "mean"), x->dtype, leading);
  check_some_output(r);
}

}  // namespace oncilla::kit::rules
