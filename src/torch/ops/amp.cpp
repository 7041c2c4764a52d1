// Gradients scaled for half precision: unscaled and searched for infinities and NaN, and the next scale.
#include "torch/kernel.hpp"

#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale_ops.h>
#include <ATen/ops/_amp_update_scale_ops.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/logical_not.h>

#include <map>

#include "torch/arguments.hpp"
#include "torch/foreach.hpp"

namespace oncilla::adapter {
namespace {

void check_one(const at::Tensor& t, const char* name) {
  TORCH_CHECK(t.device().type() == kOcl, name, " must be on the device of the gradients, not on ", t.device());
  TORCH_CHECK(t.numel() == 1, name, " must be a 1-element tensor.");
  TORCH_CHECK(t.scalar_type() == at::kFloat, name, " must be a float tensor.");
}

// Tensors of one dtype: the largest magnitude of each, which is NaN or infinite if an element is; then all are unscaled. Three
// launches for any number of tensors.
void unscale(at::ArrayRef<at::Tensor> grads, at::Tensor& found_inf, const at::Tensor& inv_scale) {
  const at::Tensor magnitudes = norms_of(grads, ONC_NORM_MAX);
  found_inf.logical_or_(at::logical_not(at::isfinite(magnitudes)).any());
  Each each(grads);
  const Value g = each.list(grads), inverse = each.broadcast(inv_scale);
  each.out(g * inverse, grads);
  each.run();
}

void check_and_unscale(at::TensorList grads, at::Tensor& found_inf, const at::Tensor& inv_scale) {
  if (grads.empty()) return;
  check_one(inv_scale, "inv_scale");
  check_one(found_inf, "found_inf");
  std::map<at::ScalarType, std::vector<at::Tensor>> dense;
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;
  for (const at::Tensor& t : grads) {
    TORCH_CHECK(t.device() == found_inf.device() && t.layout() == at::kStrided, "one of scaled_grads was not a strided tensor on ",
                found_inf.device(), ".");
    need_floating(t, "loss scaling");
    if (t.numel() == 0) continue;
    at::Tensor to = t;
    if (!t.is_non_overlapping_and_dense()) copies.emplace_back(t, to = t.contiguous());
    dense[t.scalar_type()].push_back(to);
  }
  for (const auto& [type, list] : dense) unscale(list, found_inf, inv_scale);
  for (const auto& [given, copy] : copies) given.copy_(copy);
}

// The scale shrinks after an infinity, and grows after growth_interval steps without one, unless that passes the largest float.
at::Tensor& update_scale(at::Tensor& scale, at::Tensor& tracker, const at::Tensor& found_inf, double growth, double backoff,
                         int64_t interval) {
  TORCH_CHECK(tracker.device() == scale.device() && tracker.numel() == 1 && tracker.scalar_type() == at::kInt,
              "growth_tracker must be a 1-element int tensor on ", scale.device());
  check_one(scale, "current_scale");
  check_one(found_inf, "found_inf");
  const at::Tensor found = found_inf.reshape(scale.sizes()), count = tracker.view(scale.sizes());
  auto iter = at::TensorIteratorConfig()
                  .set_check_mem_overlap(false)
                  .check_all_same_dtype(false)
                  .resize_outputs(false)
                  .add_output(scale)
                  .add_output(count)
                  .add_const_input(scale)
                  .add_const_input(count)
                  .add_const_input(found)
                  .build();
  pointwise(iter, at::kFloat, {}, [&](Ctx& c) {
    const Value s = c.x(0), bad = ne(c.x(2), c.c(0)), steps = c.raw(1) + c.tape.constant_int(ONC_I32, 1);
    const Value grown = s * c.s(c10::Scalar(growth)), shrunk = s * c.s(c10::Scalar(backoff));
    c.scalars().add_int(interval);
    const Value due = eq(steps, c.tape.scalar(ONC_I32)), zero = c.tape.constant_int(ONC_I32, 0);
    c.out(where(bad, shrunk, where(logical_and(due, isfinite(grown)), grown, s)));
    c.out(where(logical_or(bad, due), zero, steps));
    return Value();
  });
  return scale;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::_amp_foreach_non_finite_check_and_unscale_, check_and_unscale>(m);
  kernel<at::_ops::_amp_update_scale_, update_scale>(m);
}

}  // namespace oncilla::adapter
