// What each op of ops.def demands of its tensors and attributes. Families with rules of their own are in check_<family>.cpp. A plugin
// declines what is valid here but not served by it (a dtype, a stride) with support().
#include "kit/check.hpp"

namespace oncilla::kit {
namespace {

// [N, C, ...] without its dim 1.
Dims without_channels(const Dims& dims) {
  Dims rest = dims;
  rest.erase(rest.begin() + 1);
  return rest;
}

// What the four losses share: `scores` [N, C, ...], targets and weights of the classes.
struct Loss {
  Dims rows;     // [N, ...]
  Dims reduced;  // of the loss: [] or rows
};

Loss check_loss(const Rules& r, const Named& scores, const Named& target, const Named& weight) {
  const auto attrs = r.desc.attributes<onc_loss_attrs>();
  r.floating(scores);
  r.min_rank(scores, 2);
  const Dims rows = without_channels(scores->dims);
  r.dtype(target, ONC_I64);
  r.dims(target, rows);
  r.dtype(weight, scores->dtype);
  r.dims(weight, {scores->dims[1]});
  r.holds(attrs.reduction <= ONC_REDUCTION_SUM, "reduction ", attrs.reduction, " is not none (0), mean (1) or sum (2)");
  r.reserved(attrs.reserved);
  return {rows, attrs.reduction == ONC_REDUCTION_NONE ? rows : Dims{}};
}

void check_like(const Rules& r, const Named& t, uint32_t dtype, const Dims& dims) {
  r.dtype(t, dtype);
  r.dims(t, dims);
}

}  // namespace

void Rules::outputs_do_not_overlap() const {
  for (size_t i = 0; i < desc.out.size(); ++i) {
    if (!desc.has_out(i)) continue;
    const Tensor& t = desc.output(i);
    holds(!t.may_overlap(), "output ", i, " of sizes ", to_string(t.dims), " and strides ", to_string(t.strides),
          " overlaps itself");
  }
}

void check_op(const OpDesc& desc) {
  const Rules r(desc);
  r.outputs_do_not_overlap();
  switch (desc.op) {
#define ONC_OP(number, NAME, name, ...) \
  case number:                          \
    return rules::name(r);
#include "oncilla/ops.def"
#undef ONC_OP
    default:
      throw Error(ONC_INTERNAL, cat("[plan_create] op ", desc.op, " has no checks"));
  }
}

namespace rules {

// The inputs and the instructions were checked with the tape (tape.cpp).
void expr(const Rules& r) {
  const Tape& tape = *r.desc.tape;
  const Dims leading(tape.dims.begin(), tape.dims.end() - tape.reduce_rank);
  r.holds(r.desc.out.size() == tape.outs.size(), r.desc.out.size(), " outputs for ", tape.outs.size(), " output values");
  for (size_t j = 0; j < tape.outs.size(); ++j) {
    const uint16_t value = tape.outs[j];
    r.holds(r.desc.has_out(j), "output ", j, " is absent");
    const Tensor& t = r.desc.output(j);
    const bool as_full = !tape.reduced[value] && t.dims == tape.dims;
    const bool as_reduced = (tape.reduced[value] || tape.both[value]) && t.dims == leading;
    r.holds(as_full || as_reduced, "output ", j, " is ", t, ", but value ", value, " has sizes ",
            to_string(tape.reduced[value] ? leading : tape.dims));
  }
}

void foreach (const Rules& r) {
  const OpDesc& d = r.desc;
  const size_t n = d.foreach_tensors;
  const auto check_list = [&](const char* side, const std::vector<std::optional<Tensor>>& list, bool broadcasts) {
    for (size_t i = 0; i < list.size(); ++i) {
      r.holds(list[i].has_value(), side, " ", i, " is absent");
      const Tensor &t = *list[i], &first = *list[i - i % n];
      const int64_t numel = d.out[i % n]->numel();
      r.holds(t.contiguous(), side, " ", i, " of sizes ", to_string(t.dims), " and strides ", to_string(t.strides),
              " is not contiguous");
      r.holds(t.dtype == first.dtype, side, " ", i, " is ", t, ", but its list begins with ", first);
      r.holds(t.numel() == numel || (broadcasts && t.numel() == 1), side, " ", i, " is ", t, ", but output ", i % n, " has ", numel,
              " elements");
    }
  };
  for (size_t t = 0; t < n; ++t) r.holds(d.has_out(t), "output ", t, " is absent");
  check_list("output", d.out, false);
  check_list("input", d.in, true);
}

void batch_norm(const Rules& r) {
  const Named x = r.in(0, "x"), y = r.out(0, "y");
  r.floating(x);
  r.min_rank(x, 2);
  check_like(r, y, x->dtype, x->dims);
  r.holds(x->dims[1] == 0 || x->numel() > 0, x, " has no element in a channel: no mean");
  const Named per_channel[] = {
      r.maybe_in(1, "weight"), r.maybe_in(2, "bias"),    r.maybe_in(3, "running_mean"),      r.maybe_in(4, "running_var"),
      r.maybe_out(1, "mean"),  r.maybe_out(2, "invstd"), r.maybe_out(3, "new_running_mean"), r.maybe_out(4, "new_running_var")};
  for (const Named& t : per_channel) check_like(r, t, x->dtype, {x->dims[1]});
  r.holds(!r.desc.has_out(3) || r.desc.has_in(3), "new_running_mean needs running_mean");
  r.holds(!r.desc.has_out(4) || r.desc.has_in(4), "new_running_var needs running_var");
}

void batch_norm_grad(const Rules& r) {
  const auto attrs = r.desc.attributes<onc_batch_norm_grad_attrs>();
  const Named grad_out = r.in(0, "grad_out"), x = r.in(1, "x"), grad_in = r.maybe_out(0, "grad_in");
  r.floating(x);
  r.min_rank(x, 2);
  check_like(r, grad_out, x->dtype, x->dims);
  check_like(r, grad_in, x->dtype, x->dims);
  const Named per_channel[] = {r.maybe_in(2, "weight"), r.in(3, "mean"), r.in(4, "invstd"), r.maybe_out(1, "grad_weight"),
                               r.maybe_out(2, "grad_bias")};
  for (const Named& t : per_channel) check_like(r, t, x->dtype, {x->dims[1]});
  r.holds(r.desc.has_out(0) || r.desc.has_out(1) || r.desc.has_out(2), "all outputs are absent");
  r.flag("training", attrs.training);
  r.reserved(attrs.reserved);
}

void softmax(const Rules& r) {
  const auto attrs = r.desc.attributes<onc_softmax_attrs>();
  const Named x = r.in(0, "x"), y = r.out(0, "y");
  r.floating(x);
  check_like(r, y, x->dtype, x->dims);
  r.holds(attrs.axis < x->rank(), "axis ", attrs.axis, " is not below the rank of ", x);
  r.flag("log", attrs.log);
}

void softmax_grad(const Rules& r) {
  const auto attrs = r.desc.attributes<onc_softmax_attrs>();
  const Named grad_out = r.in(0, "grad_out"), y = r.in(1, "y"), grad_in = r.out(0, "grad_in");
  r.floating(y);
  check_like(r, grad_out, y->dtype, y->dims);
  check_like(r, grad_in, y->dtype, y->dims);
  r.holds(attrs.axis < y->rank(), "axis ", attrs.axis, " is not below the rank of ", y);
  r.flag("log", attrs.log);
}

void nll_loss(const Rules& r) {
  const Named log_prob = r.in(0, "log_prob"), target = r.in(1, "target"), weight = r.maybe_in(2, "weight");
  const Loss loss = check_loss(r, log_prob, target, weight);
  check_like(r, r.out(0, "loss"), log_prob->dtype, loss.reduced);
  check_like(r, r.out(1, "total_weight"), log_prob->dtype, {});
}

void nll_loss_grad(const Rules& r) {
  const Named grad_log_prob = r.out(0, "grad_log_prob"), target = r.in(1, "target"), weight = r.maybe_in(2, "weight");
  const Loss loss = check_loss(r, grad_log_prob, target, weight);
  check_like(r, r.in(0, "grad_loss"), grad_log_prob->dtype, loss.reduced);
  check_like(r, r.in(3, "total_weight"), grad_log_prob->dtype, {});
}

void cross_entropy(const Rules& r) {
  const Named logits = r.in(0, "logits"), target = r.in(1, "target"), weight = r.maybe_in(2, "weight");
  const Loss loss = check_loss(r, logits, target, weight);
  check_like(r, r.out(0, "loss"), logits->dtype, loss.reduced);
  check_like(r, r.out(1, "total_weight"), logits->dtype, {});
  check_like(r, r.out(2, "lse"), logits->dtype, loss.rows);
}

void cross_entropy_grad(const Rules& r) {
  const Named logits = r.in(1, "logits"), target = r.in(2, "target"), weight = r.maybe_in(3, "weight");
  const Loss loss = check_loss(r, logits, target, weight);
  check_like(r, r.in(0, "grad_loss"), logits->dtype, loss.reduced);
  check_like(r, r.in(4, "total_weight"), logits->dtype, {});
  check_like(r, r.in(5, "lse"), logits->dtype, loss.rows);
  check_like(r, r.out(0, "grad_logits"), logits->dtype, logits->dims);
}

}  // namespace rules
}  // namespace oncilla::kit
