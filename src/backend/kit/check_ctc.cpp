// What the CTC loss demands. Lengths and labels are data: a value outside its range gives NaN.
#include "kit/check.hpp"

namespace oncilla::kit::rules {
namespace {

// What forward and backward share: log_prob [T, N, C], target [N, S], the lengths and the forward's results.
void check_ctc(const Rules& r, const Named& log_prob, const Named& target, std::initializer_list<Named> lengths, const Named& loss,
               const Named& log_alpha) {
  const auto attrs = r.desc.attributes<onc_ctc_attrs>();
  r.floating(log_prob);
  r.rank(log_prob, 3);
  const int64_t steps = log_prob->dims[0], batch = log_prob->dims[1], classes = log_prob->dims[2];
  r.dtype(target, ONC_I64);
  r.rank(target, 2);
  const int64_t labels = target->dims[1];
  r.dims(target, {batch, labels});
  for (const Named& length : lengths) r.like(length, ONC_I64, {batch});
  r.holds(attrs.blank >= 0 && attrs.blank < classes, "blank ", attrs.blank, " is no class of ", log_prob);
  r.flag("zero_infinity", attrs.zero_infinity);
  r.reserved(attrs.reserved);
  r.like(loss, log_prob->dtype, {batch});
  r.like(log_alpha, arithmetic_dtype(log_prob->dtype), {batch, steps, 2 * labels + 1});
}

}  // namespace

void ctc_loss(const Rules& r) {
  check_ctc(r, r.in(0, "log_prob"), r.in(1, "target"), {r.in(2, "input_length"), r.in(3, "target_length")}, r.out(0, "loss"),
            r.out(1, "log_alpha"));
}

void ctc_loss_grad(const Rules& r) {
  const Named log_prob = r.in(1, "log_prob");
  check_ctc(r, log_prob, r.in(2, "target"), {r.in(3, "input_length"), r.in(4, "target_length")}, r.in(5, "loss"),
            r.in(6, "log_alpha"));
  r.like(r.in(0, "grad_loss"), log_prob->dtype, {log_prob->dims[1]});
  r.like(r.out(0, "grad_log_prob"), log_prob->dtype, log_prob->dims);
}

}  // namespace oncilla::kit::rules
