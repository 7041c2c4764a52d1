#include "core/optimizers.hpp"

namespace oncilla {
namespace {

// (1 - rate) * old + rate * fresh, where rest is 1 - rate: torch's lerp.
Value towards(Value old, Value fresh, Value rest) { return old + rest * (fresh - old); }

struct Moments {
  Value average, square, correction1, correction2;
};

Moments adam_moments(const AdamRule& r, Value gradient, Value average, Value square) {
  return {towards(average, gradient, r.rest1), r.beta2 * square + r.rest2 * gradient * gradient, -expm1(r.step * r.log_beta1),
          -expm1(r.step * r.log_beta2)};
}

}  // namespace

Value unless_found(Value found_inf, Value fresh, Value old) {
  return where(ne(found_inf, found_inf.tape->constant(found_inf.dtype, 0)), old, fresh);
}

Tape found_inf_tape(uint32_t norm_dtype) {
  Tape t;
  const Value any = t.reduce(ONC_EX_REDUCE_ANY, logical_not(isfinite(t.input(norm_dtype))));
  t.output(t.cast(any, ONC_F32));
  return t;
}

SgdStep sgd_step(const SgdRule& r, Value parameter, Value gradient, Value buffer) {
  const Value g = gradient + r.weight_decay * parameter;
  if (r.momentum.tape == nullptr) return {parameter - r.lr * g, {}};
  const Value fresh = r.first ? g : r.momentum * buffer + r.rest * g;
  return {parameter - r.lr * (r.nesterov ? g + r.momentum * fresh : fresh), fresh};
}

AdamStep adam_step(const AdamRule& r, Value parameter, Value gradient, Value average, Value square, Value peak) {
  const Value g = r.decoupled ? gradient : gradient + r.weight_decay * parameter;
  const Value p = r.decoupled ? parameter - r.lr * r.weight_decay * parameter : parameter;
  const Moments m = adam_moments(r, g, average, square);
  const Value top = r.amsgrad ? maximum(peak, m.square) : m.square;
  const Value denominator = sqrt(top) / sqrt(m.correction2) + r.eps;
  return {p - r.lr / m.correction1 * (m.average / denominator), m.average, m.square, r.amsgrad ? top : Value()};
}

RmsPropStep rmsprop_step(const RmsPropRule& r, Value parameter, Value gradient, Value square, Value average, Value buffer) {
  const Value g = gradient + r.weight_decay * parameter;
  RmsPropStep step;
  step.square = r.alpha * square + r.rest * g * g;
  Value spread = step.square;
  if (r.centered) {
    step.average = towards(average, g, r.rest);
    spread = step.square - step.average * step.average;
  }
  const Value direction = g / (sqrt(spread) + r.eps);
  if (r.momentum.tape != nullptr) {
    step.buffer = r.momentum * buffer + direction;
    step.parameter = parameter - r.lr * step.buffer;
  } else {
    step.parameter = parameter - r.lr * direction;
  }
  return step;
}

AdagradStep adagrad_step(Value rate, Value weight_decay, Value eps, Value parameter, Value gradient, Value sum) {
  const Value g = gradient + weight_decay * parameter, fresh = sum + g * g;
  return {parameter - rate * (g / (sqrt(fresh) + eps)), fresh};
}

AdadeltaStep adadelta_step(const AdadeltaRule& r, Value parameter, Value gradient, Value square, Value delta) {
  const Value g = gradient + r.weight_decay * parameter;
  const Value fresh = r.rho * square + r.rest * g * g;
  const Value direction = sqrt(delta + r.eps) / sqrt(fresh + r.eps) * g;
  return {parameter - r.lr * direction, fresh, r.rho * delta + r.rest * direction * direction};
}

LambDirection lamb_direction(const AdamRule& r, Value parameter, Value gradient, Value average, Value square) {
  const Moments m = adam_moments(r, gradient, average, square);
  const Value direction = m.average / m.correction1 / (sqrt(m.square / m.correction2) + r.eps) + r.weight_decay * parameter;
  return {direction, m.average, m.square};
}

Value lamb_step(Value lr, Value parameter, Value direction, Value parameter_norm, Value direction_norm) {
  Tape& t = *parameter.tape;
  const Value zero = t.constant(parameter_norm.dtype, 0), one = t.constant(parameter_norm.dtype, 1);
  const Value both = logical_and(gt(parameter_norm, zero), gt(direction_norm, zero));
  const Value trust = where(both, parameter_norm / where(both, direction_norm, one), one);
  return parameter - lr * t.cast(trust, parameter.dtype) * direction;
}

Tape clip_norm_tape(uint32_t norm_dtype) {
  Tape t;
  const Value norm = t.input(norm_dtype), limit = t.scalar(norm_dtype);
  const Value total = sqrt(t.reduce(ONC_EX_REDUCE_SUM, norm * norm));
  t.output(minimum(limit / (total + 1e-6), t.constant(norm_dtype, 1)));
  t.output(total);
  return t;
}

}  // namespace oncilla
