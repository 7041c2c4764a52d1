// Drawing random numbers: Philox words at each element's place in the tensor, so that layout and device do not change them.
#pragma once

#include "torch/generator.hpp"
#include "torch/pointwise.hpp"

namespace oncilla::adapter {

using Gen = std::optional<at::Generator>;

// Fills outs (and reads ins, of the same sizes) by a tape that draws. Run-time scalars must be asked for before the first draw.
inline void draw(at::ArrayRef<at::Tensor> outs, at::ArrayRef<at::Tensor> ins, at::ScalarType common, const Gen& generator, Fn fn) {
  if (outs[0].numel() == 0) return;
  at::TensorIteratorConfig config;
  for (const at::Tensor& out : outs) config.add_output(out);
  for (const at::Tensor& in : ins) config.add_const_input(in);
  auto iter = config.check_all_same_dtype(false).resize_outputs(false).enforce_linear_iteration(true).build();
  pointwise(iter, common, {}, fn, next_draw(generator, outs[0].device().index()));
}

// What is drawn must be floating, in the words of the CPU.
inline void need_floating_draw(const at::Tensor& self, const char* op) {
  need_dtype(self.scalar_type());
  TORCH_CHECK(self.is_floating_point(), "\"", op, "\" not implemented for '", self.scalar_type(), "'");
}

}  // namespace oncilla::adapter
