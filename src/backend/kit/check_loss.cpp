// What softmax and the class losses demand.
#include "kit/check.hpp"

namespace oncilla::kit::rules {
namespace {

// [N, C, ...] without its dim 1.
Dims without_channels(const Dims& dims) {
  Dims rest = dims;
  rest.erase(rest.begin() + 1);
  return rest;
}

// What the four losses share: `scores` [N, C, ...], targets and weights of the classes.
struct Loss {
  Dims rows;       // [N, ...]
  Dims reduced;    // of the loss: [] or rows
  uint32_t saved;  // the dtype of what the backward reads again
};

Loss check_loss(const Rules& r, const Named& scores, const Named& target, const Named& weight, bool smooths) {
  const auto attrs = r.desc.attributes<onc_loss_attrs>();
  r.floating(scores);
  r.min_rank(scores, 2);
  const Dims rows = without_channels(scores->dims);
  r.like(target, ONC_I64, rows);
  r.like(weight, scores->dtype, {scores->dims[1]});
  r.holds(attrs.reduction <= ONC_REDUCTION_SUM, "reduction ", attrs.reduction, " is not none (0), mean (1) or sum (2)");
  r.holds(smooths || attrs.label_smoothing == 0, "label_smoothing ", attrs.label_smoothing, " belongs to cross_entropy");
  r.holds(attrs.label_smoothing >= 0 && attrs.label_smoothing <= 1, "label_smoothing ", attrs.label_smoothing,
          " is not in 0 ... 1");
  r.reserved(attrs.reserved);
  return {rows, attrs.reduction == ONC_REDUCTION_NONE ? rows : Dims{}, arithmetic_dtype(scores->dtype)};
}

void check_axis(const Rules& r, const Named& t) {
  const auto attrs = r.desc.attributes<onc_softmax_attrs>();
  r.floating(t);
  r.holds(attrs.axis < t->rank(), "axis ", attrs.axis, " is not below the rank of ", t);
  r.flag("log", attrs.log);
}

}  // namespace

void softmax(const Rules& r) {
  const Named x = r.in(0, "x");
  check_axis(r, x);
  r.like(r.out(0, "y"), x->dtype, x->dims);
}

void softmax_grad(const Rules& r) {
  const Named grad_out = r.in(0, "grad_out"), y = r.in(1, "y"), grad_in = r.out(0, "grad_in");
  check_axis(r, y);
  r.like(grad_out, y->dtype, y->dims);
  r.like(grad_in, y->dtype, y->dims);
}

void nll_loss(const Rules& r) {
  const Named log_prob = r.in(0, "log_prob"), target = r.in(1, "target"), weight = r.maybe_in(2, "weight");
  const Loss loss = check_loss(r, log_prob, target, weight, false);
  r.like(r.out(0, "loss"), log_prob->dtype, loss.reduced);
  r.like(r.out(1, "total_weight"), loss.saved, {});
}

void nll_loss_grad(const Rules& r) {
  const Named grad_log_prob = r.out(0, "grad_log_prob"), target = r.in(1, "target"), weight = r.maybe_in(2, "weight");
  const Loss loss = check_loss(r, grad_log_prob, target, weight, false);
  r.like(r.in(0, "grad_loss"), grad_log_prob->dtype, loss.reduced);
  r.like(r.in(3, "total_weight"), loss.saved, {});
}

void cross_entropy(const Rules& r) {
  const Named logits = r.in(0, "logits"), target = r.in(1, "target"), weight = r.maybe_in(2, "weight");
  const Loss loss = check_loss(r, logits, target, weight, true);
  r.like(r.out(0, "loss"), logits->dtype, loss.reduced);
  r.like(r.out(1, "total_weight"), loss.saved, {});
  r.like(r.out(2, "lse"), loss.saved, loss.rows);
}

void cross_entropy_grad(const Rules& r) {
  const Named logits = r.in(1, "logits"), target = r.in(2, "target"), weight = r.maybe_in(3, "weight");
  const Loss loss = check_loss(r, logits, target, weight, true);
  r.like(r.in(0, "grad_loss"), logits->dtype, loss.reduced);
  r.like(r.in(4, "total_weight"), loss.saved, {});
  r.like(r.in(5, "lse"), loss.saved, loss.rows);
  r.like(r.out(0, "grad_logits"), logits->dtype, logits->dims);
}

}  // namespace oncilla::kit::rules
