// clamp between two numbers; between tensors it is a row of pointwise.cpp.
#include "torch/kernel.hpp"

#include <ATen/native/Resize.h>
#include <ATen/native/TypeProperties.h>
#include <ATen/ops/clamp_ops.h>

#include "torch/pointwise.hpp"

namespace oncilla::adapter {
namespace {

// Numbers take part in promotion, though the iterator takes one of them only.
at::ScalarType clamped_type(const at::Tensor& self, const std::optional<at::Scalar>& low, const std::optional<at::Scalar>& high) {
  TORCH_CHECK(low || high, "torch.clamp: At least one of 'min' or 'max' must not be None");
  need_dtype(self.scalar_type());
  at::native::ResultTypeState state = at::native::update_result_type_state(self, {});
  for (const auto& bound : {low, high}) {
    if (bound) state = at::native::update_result_type_state(wrapped_number(*bound), state);
  }
  return self.is_floating_point() ? self.scalar_type() : at::native::result_type(state);
}
at::Tensor clamp_to(const at::Tensor& self, const std::optional<at::Scalar>& low, const std::optional<at::Scalar>& high,
                    const at::Tensor& out) {
  const std::array<c10::IValue, 2> bounds{low, high};
  return pointwise(Rule::kUnary, out, self, bounds, [](Ctx& c) {
    Value v = c.x(0);
    if (c.given(0)) v = maximum(v, c.s(size_t{0}));
    return c.given(1) ? minimum(v, c.s(1)) : v;
  });
}
at::Tensor clamp_numbers(const at::Tensor& self, const std::optional<at::Scalar>& low, const std::optional<at::Scalar>& high) {
  return clamp_to(self.to(clamped_type(self, low, high)), low, high, {});
}
at::Tensor& clamp_out(const at::Tensor& self, const std::optional<at::Scalar>& low, const std::optional<at::Scalar>& high,
                      at::Tensor& out) {
  const auto type = clamped_type(self, low, high);
  TORCH_CHECK(at::canCast(type, out.scalar_type()), "result type ", type, " can't be cast to the desired output type ",
              out.scalar_type());
  if (type == out.scalar_type()) {
    clamp_to(self.to(type), low, high, out);
    return out;
  }
  at::native::resize_output(out, self.sizes());
  return out.copy_(clamp_numbers(self, low, high));
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::clamp, clamp_numbers>(m);
  kernel<at::_ops::clamp_out, clamp_out>(m);
}

}  // namespace oncilla::adapter
