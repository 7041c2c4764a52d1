// Variances and standard deviations, in two passes: the mean, then the squares of what is left.
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/TensorOperators.h>
#include <ATen/ops/complex.h>
#include <ATen/ops/mean_meta.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/std_mean_ops.h>
#include <ATen/ops/std_ops.h>
#include <ATen/ops/var_mean_ops.h>
#include <ATen/ops/var_ops.h>
#include <ATen/ops/view_as_real.h>

#include "torch/arguments.hpp"
#include "torch/reduce.hpp"
#include "torch/shaped.hpp"

namespace oncilla::adapter {
namespace {

using Dim = at::OptionalIntArrayRef;

std::pair<at::Tensor, at::Tensor> variance(const at::Tensor& self, Dim dim, const std::optional<at::Scalar>& correction,
                                           bool keepdim, bool root) {
  TORCH_CHECK(at::isFloatingType(self.scalar_type()) || at::isComplexType(self.scalar_type()),
              "std and var only support tensors of floating point dtype");
  if (self.is_complex()) {
    // |z - mean|^2 is the sum of both parts' squares.
    const at::Tensor pairs = at::view_as_real(self);
    const auto re = variance(pairs.select(-1, 0), dim, correction, keepdim, false);
    const auto im = variance(pairs.select(-1, 1), dim, correction, keepdim, false);
    const at::Tensor var = re.first + im.first;
    return {root ? at::sqrt(var) : var, at::complex(re.second, im.second)};
  }
  need_dtype(self.scalar_type());
  const Dims dims = dims_of(dim, self.dim());
  Shaped<at::meta::structured_mean_dim> kept, shaped, mean;
  // Half types keep their means in float32.
  const auto wide = wide_of(self.scalar_type());
  kept.meta(self, dim, true, wide);
  shaped.meta(self, dim, keepdim, std::nullopt);
  mean.meta(self, dim, keepdim, std::nullopt);
  const double count = static_cast<double>(count_of(self, dims));
  const double divisor = std::max(0.0, count - (correction ? correction->toDouble() : 1.0));
  reduce(kept.outs, self, dims, wide, {},
         [&](Ctx& c) { return c.tape.reduce(ONC_EX_REDUCE_SUM, c.x(0)) / c.s(c10::Scalar(count)); });
  const std::array<at::Tensor, 2> ins{self, kept.outs[0].expand(self.sizes())};
  reduce(shaped.outs, ins, dims, wide, {}, [&](Ctx& c) {
    const Value off = c.x(0) - c.x(1), var = c.tape.reduce(ONC_EX_REDUCE_SUM, off * off) / c.s(c10::Scalar(divisor));
    return root ? sqrt(var) : var;
  });
  mean.outs[0].copy_(kept.outs[0].reshape(mean.outs[0].sizes()));
  return {shaped.outs[0], mean.outs[0]};
}
at::Tensor var(const at::Tensor& self, Dim dim, const std::optional<at::Scalar>& correction, bool keepdim) {
  return variance(self, dim, correction, keepdim, false).first;
}
at::Tensor std_of(const at::Tensor& self, Dim dim, const std::optional<at::Scalar>& correction, bool keepdim) {
  return variance(self, dim, correction, keepdim, true).first;
}
std::tuple<at::Tensor, at::Tensor> var_mean(const at::Tensor& self, Dim dim, const std::optional<at::Scalar>& correction,
                                            bool keepdim) {
  return variance(self, dim, correction, keepdim, false);
}
std::tuple<at::Tensor, at::Tensor> std_mean(const at::Tensor& self, Dim dim, const std::optional<at::Scalar>& correction,
                                            bool keepdim) {
  return variance(self, dim, correction, keepdim, true);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::var_correction, var>(m);
  kernel<at::_ops::std_correction, std_of>(m);
  kernel<at::_ops::var_mean_correction, var_mean>(m);
  kernel<at::_ops::std_mean_correction, std_mean>(m);
}

}  // namespace oncilla::adapter
