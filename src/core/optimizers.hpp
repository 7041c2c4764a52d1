// Optimizer steps as tapes, for FOREACH over lists of parameters or EXPR over one. Each takes the old values and gives the new
// ones; the host names lists and stores. The formulas and their order are those of torch.optim. What changes from step to step is a
// Value: a run-time scalar, a scalar of each tensor, or a list of one-element tensors.
//
// gradient: maximize and the unscaling of a loss scaler are the host's, by `maximized` and `unscaled`.
#pragma once

#include "core/tape.hpp"

namespace oncilla {

inline Value maximized(Value gradient) { return -gradient; }
// gradient * inverse_scale. Whether any gradient is infinite or NaN: FOREACH_NORM of kind MAX over the scaled gradients, then
// found_inf() over the norms.
inline Value unscaled(Value gradient, Value inverse_scale) { return gradient * inverse_scale; }
// A step that found_inf != 0 leaves out: the old value stays.
Value unless_found(Value found_inf, Value fresh, Value old);
// EXPR over norms [n], reduce_rank 1.  out: 1 where a norm is infinite or NaN, else 0, float32.
Tape found_inf_tape(uint32_t norm_dtype);

// torch.optim.SGD. first: the momentum buffer begins as the gradient. An empty momentum: none, and buffer stays empty.
struct SgdRule {
  Value lr, weight_decay, momentum, rest;  // rest: 1 - dampening
  bool nesterov = false, first = false;
};
struct SgdStep {
  Value parameter, buffer;
};
SgdStep sgd_step(const SgdRule& rule, Value parameter, Value gradient, Value buffer);

// torch.optim.Adam (decoupled: AdamW, Loshchilov and Hutter 2019; amsgrad: Reddi et al. 2018). step counts from 1 and gives the
// bias corrections -expm1(step * log(beta)), which keep the digits that 1 - beta^step loses. log_beta: natural logarithms of the
// betas.
struct AdamRule {
  Value lr, beta2, rest1, rest2, log_beta1, log_beta2, eps, weight_decay, step;  // rest: 1 - beta
  bool decoupled = false, amsgrad = false;
};
struct AdamStep {
  Value parameter, average, square, peak;  // peak is empty without amsgrad
};
AdamStep adam_step(const AdamRule& rule, Value parameter, Value gradient, Value average, Value square, Value peak);

// torch.optim.RMSprop. An empty momentum: none; centered: the variance instead of the second moment.
struct RmsPropRule {
  Value lr, alpha, rest, eps, weight_decay, momentum;  // rest: 1 - alpha
  bool centered = false;
};
struct RmsPropStep {
  Value parameter, square, average, buffer;  // average if centered, buffer if there is a momentum
};
RmsPropStep rmsprop_step(const RmsPropRule& rule, Value parameter, Value gradient, Value square, Value average, Value buffer);

// torch.optim.Adagrad; rate: lr / (1 + (step - 1) * lr_decay).
struct AdagradStep {
  Value parameter, sum;
};
AdagradStep adagrad_step(Value rate, Value weight_decay, Value eps, Value parameter, Value gradient, Value sum);

// torch.optim.Adadelta (Zeiler 2012).
struct AdadeltaRule {
  Value lr, rho, rest, eps, weight_decay;  // rest: 1 - rho
};
struct AdadeltaStep {
  Value parameter, square, delta;
};
AdadeltaStep adadelta_step(const AdadeltaRule& rule, Value parameter, Value gradient, Value square, Value delta);

// LAMB (You et al. 2020) in three launches: lamb_direction for the update of each tensor; FOREACH_NORM of parameters and of
// updates; lamb_step with the two norms as lists of one element. rule: as Adam; its decay joins the direction.
struct LambDirection {
  Value direction, average, square;
};
LambDirection lamb_direction(const AdamRule& rule, Value parameter, Value gradient, Value average, Value square);
// The ratio of the norms is 1 where either is 0.
Value lamb_step(Value lr, Value parameter, Value direction, Value parameter_norm, Value direction_norm);

// Clipping. By value: NaN stays. By norm: EXPR over norms [n], reduce_rank 1; scalar: max_norm; out: the factor for every gradient,
// min(1, max_norm / (total + 1e-6)), and the total norm, as torch.nn.utils.clip_grad_norm_ has them.
inline Value clipped(Value gradient, Value low, Value high) { return minimum(maximum(gradient, low), high); }
Tape clip_norm_tape(uint32_t norm_dtype);

}  // namespace oncilla
