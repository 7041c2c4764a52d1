// Fused optimizer steps: SGD, Adagrad, Adam and AdamW for all parameters in one launch. Learning rates and decays are run-time
// scalars; bias corrections come from the step tensors as -expm1(step * log(beta)), which keeps its digits where 1 - beta^step
// would lose them.
#include "torch/kernel.hpp"

#include <ATen/ops/_fused_adagrad_ops.h>
#include <ATen/ops/_fused_adam_ops.h>
#include <ATen/ops/_fused_adamw_ops.h>
#include <ATen/ops/_fused_sgd_ops.h>
#include <ATen/ops/empty_strided.h>

#include <cmath>

#include "torch/arguments.hpp"
#include "torch/foreach.hpp"

namespace oncilla::adapter {
namespace {

using List = at::TensorList;

void need_lists(List self, std::initializer_list<List> lists) {
  TORCH_CHECK(!self.empty(), "[fused optimizer] no parameters");
  for (List list : lists) {
    if (const char* why = Each::why_not(self, list)) throw Declined(why);
  }
}

// A list laid out as the parameters: a tensor that is not (a gradient or its momentum beside a channels-last parameter) is copied,
// and back.
struct Alike {
  Alike(List self, List given) : given(given), tensors(given.vec()) {
    TORCH_CHECK(tensors.size() == self.size(), "[fused optimizer] ", tensors.size(), " tensors for ", self.size(), " parameters");
    for (size_t i = 0; i < tensors.size(); ++i) {
      at::Tensor& t = tensors[i];
      if (t.defined() && t.sizes() == self[i].sizes() && t.strides() != self[i].strides())
        t = at::empty_strided(self[i].sizes(), self[i].strides(), t.options()).copy_(t);
    }
    if (const char* why = Each::why_not(self, tensors)) throw Declined(why);
  }
  void write_back() const {
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (!tensors[i].is_same(given[i])) given[i].copy_(tensors[i]);
    }
  }
  List given;
  std::vector<at::Tensor> tensors;
};

// What an optimizer's tape is made of: parameters and gradients, the loss scale undone, the direction chosen, and the skip on
// infinities.
struct Step {
  Each each;
  Value parameter, gradient, skip;
  Alike grads;
  bool unscales;

  Step(List self, List given, const Maybe& grad_scale, const Maybe& found_inf, bool maximize)
      : each(self), parameter(each.list(self)), grads(self, given), unscales(grad_scale && grad_scale->defined()) {
    gradient = each.list(grads.tensors);
    if (unscales) {
      gradient = gradient / each.broadcast(*grad_scale);
      unscaled_ = gradient;
    }
    if (maximize) gradient = -gradient;
    if (found_inf && found_inf->defined()) skip = ne(each.broadcast(*found_inf), each.c(0));
  }
  void store(Value fresh, Value old, List to) { each.out(skip.tape != nullptr ? where(skip, old, fresh) : fresh, to); }
  void finish() {
    // As on other devices the gradients are left without the loss scale.
    if (unscales) each.out(unscaled_, grads.tensors);
    each.run();
    if (unscales) grads.write_back();
  }

 private:
  Value unscaled_;
};

// Step counts: one element a parameter, on the device, or numbers on the CPU.
Value step_count(Each& each, List self, List steps) {
  TORCH_CHECK(steps.size() == self.size(), "[fused optimizer] ", steps.size(), " steps for ", self.size(), " parameters");
  if (!steps[0].is_cpu()) return each.list_of_one(steps);
  std::vector<c10::Scalar> numbers;
  for (const at::Tensor& t : steps) numbers.push_back(t.item());
  return each.per_tensor(numbers);
}

struct AdamSettings {
  double beta1, beta2, weight_decay, eps;
  bool amsgrad, maximize, decoupled;
};

void adam_step(List self, List grads, List exp_avgs, List exp_avg_sqs, List max_exp_avg_sqs, List steps,
               const at::Scalar* lr_number, const at::Tensor& lr_tensor, const AdamSettings& s, const Maybe& grad_scale,
               const Maybe& found_inf) {
  need_lists(self, {self, exp_avgs, exp_avg_sqs});
  if (s.amsgrad) need_lists(self, {max_exp_avg_sqs});
  Step step(self, grads, grad_scale, found_inf, s.maximize);
  Each& each = step.each;
  const Value count = step_count(each, self, steps);
  const Value lr = lr_number != nullptr ? each.shared(*lr_number) : each.broadcast(lr_tensor);
  const Value decay = each.shared(s.weight_decay), eps = each.shared(s.eps);
  const Value rest1 = each.shared(1 - s.beta1), beta2 = each.shared(s.beta2), rest2 = each.shared(1 - s.beta2);
  const Value log1 = each.shared(std::log(s.beta1)), log2 = each.shared(std::log(s.beta2));

  const Value p0 = step.parameter, m0 = each.list(exp_avgs), v0 = each.list(exp_avg_sqs);
  const Value g = s.decoupled ? step.gradient : step.gradient + decay * p0;
  const Value p = s.decoupled ? p0 - lr * decay * p0 : p0;
  const Value m = m0 + rest1 * (g - m0), v = beta2 * v0 + rest2 * g * g;
  const Value correction1 = -expm1(count * log1), correction2 = -expm1(count * log2);
  Value peak = v, peak0;
  if (s.amsgrad) {
    peak0 = each.list(max_exp_avg_sqs);
    peak = maximum(peak0, v);
  }
  const Value denominator = sqrt(peak) / sqrt(correction2) + eps;
  step.store(p - lr / correction1 * (m / denominator), p0, self);
  step.store(m, m0, exp_avgs);
  step.store(v, v0, exp_avg_sqs);
  if (s.amsgrad) step.store(peak, peak0, max_exp_avg_sqs);
  step.finish();
}

template <bool kDecoupled>
void adam(List self, List grads, List exp_avgs, List exp_avg_sqs, List max_exp_avg_sqs, List steps, double lr, double beta1,
          double beta2, double weight_decay, double eps, bool amsgrad, bool maximize, const Maybe& grad_scale,
          const Maybe& found_inf) {
  const at::Scalar number(lr);
  adam_step(self, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, &number, {},
            {beta1, beta2, weight_decay, eps, amsgrad, maximize, kDecoupled}, grad_scale, found_inf);
}
template <bool kDecoupled>
void adam_tensor(List self, List grads, List exp_avgs, List exp_avg_sqs, List max_exp_avg_sqs, List steps, const at::Tensor& lr,
                 double beta1, double beta2, double weight_decay, double eps, bool amsgrad, bool maximize, const Maybe& grad_scale,
                 const Maybe& found_inf) {
  adam_step(self, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, nullptr, lr,
            {beta1, beta2, weight_decay, eps, amsgrad, maximize, kDecoupled}, grad_scale, found_inf);
}

struct SgdSettings {
  double weight_decay, momentum, dampening;
  bool nesterov, maximize, first;
};

void sgd_step(List self, List grads, List given_buffers, const at::Scalar* lr_number, const at::Tensor& lr_tensor,
              const SgdSettings& s, const Maybe& grad_scale, const Maybe& found_inf) {
  need_lists(self, {self});
  const bool momentum = s.momentum != 0;
  Step step(self, grads, grad_scale, found_inf, s.maximize);
  Each& each = step.each;
  const Value lr = lr_number != nullptr ? each.shared(*lr_number) : each.broadcast(lr_tensor);
  const Value p = step.parameter, g = step.gradient + each.shared(s.weight_decay) * p;
  if (!momentum) {
    step.store(p - lr * g, p, self);
    step.finish();
    return;
  }
  const Alike buffers(self, given_buffers);
  const Value rate = each.shared(s.momentum), old = each.list(buffers.tensors);
  const Value buffer = s.first ? g : rate * old + each.shared(1 - s.dampening) * g;
  step.store(p - lr * (s.nesterov ? g + rate * buffer : buffer), p, self);
  step.store(buffer, old, buffers.tensors);
  step.finish();
  buffers.write_back();
}
void sgd(List self, List grads, List buffers, double weight_decay, double momentum, double lr, double dampening, bool nesterov,
         bool maximize, bool first, const Maybe& grad_scale, const Maybe& found_inf) {
  const at::Scalar number(lr);
  sgd_step(self, grads, buffers, &number, {}, {weight_decay, momentum, dampening, nesterov, maximize, first}, grad_scale,
           found_inf);
}
void sgd_tensor(List self, List grads, List buffers, double weight_decay, double momentum, const at::Tensor& lr, double dampening,
                bool nesterov, bool maximize, bool first, const Maybe& grad_scale, const Maybe& found_inf) {
  sgd_step(self, grads, buffers, nullptr, lr, {weight_decay, momentum, dampening, nesterov, maximize, first}, grad_scale,
           found_inf);
}

struct AdagradSettings {
  double lr_decay, weight_decay, eps;
  bool maximize;
};

void adagrad_step(List self, List grads, List sums, List steps, const at::Scalar* lr_number, const at::Tensor& lr_tensor,
                  const AdagradSettings& s, const Maybe& grad_scale, const Maybe& found_inf) {
  need_lists(self, {self, sums});
  Step step(self, grads, grad_scale, found_inf, s.maximize);
  Each& each = step.each;
  const Value count = step_count(each, self, steps);
  const Value lr = lr_number != nullptr ? each.shared(*lr_number) : each.broadcast(lr_tensor);
  const Value decay = each.shared(s.lr_decay), eps = each.shared(s.eps), p = step.parameter, sum = each.list(sums);
  const Value g = step.gradient + each.shared(s.weight_decay) * p, fresh = sum + g * g;
  step.store(p - lr / ((count - 1.0) * decay + 1.0) * (g / (sqrt(fresh) + eps)), p, self);
  step.store(fresh, sum, sums);
  step.finish();
}
void adagrad(List self, List grads, List sums, List steps, double lr, double lr_decay, double weight_decay, double eps,
             bool maximize, const Maybe& grad_scale, const Maybe& found_inf) {
  const at::Scalar number(lr);
  adagrad_step(self, grads, sums, steps, &number, {}, {lr_decay, weight_decay, eps, maximize}, grad_scale, found_inf);
}
void adagrad_tensor(List self, List grads, List sums, List steps, const at::Tensor& lr, double lr_decay, double weight_decay,
                    double eps, bool maximize, const Maybe& grad_scale, const Maybe& found_inf) {
  adagrad_step(self, grads, sums, steps, nullptr, lr, {lr_decay, weight_decay, eps, maximize}, grad_scale, found_inf);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::_fused_adam_, adam<false>>(m);
  kernel<at::_ops::_fused_adam__tensor_lr, adam_tensor<false>>(m);
  kernel<at::_ops::_fused_adamw_, adam<true>>(m);
  kernel<at::_ops::_fused_adamw__tensor_lr, adam_tensor<true>>(m);
  kernel<at::_ops::_fused_adagrad_, adagrad>(m);
  kernel<at::_ops::_fused_adagrad__tensor_lr, adagrad_tensor>(m);
  kernel<at::_ops::_fused_sgd_, sgd>(m);
  kernel<at::_ops::_fused_sgd__tensor_lr, sgd_tensor>(m);
}

}  // namespace oncilla::adapter
