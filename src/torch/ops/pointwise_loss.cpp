// Losses of elements: a tape, then the mean or the sum.
#include "torch/kernel.hpp"

#include <ATen/core/Reduction.h>
#include <ATen/ops/binary_cross_entropy_backward_ops.h>
#include <ATen/ops/binary_cross_entropy_ops.h>
#include <ATen/ops/huber_loss_backward_ops.h>
#include <ATen/ops/huber_loss_ops.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mse_loss_backward_ops.h>
#include <ATen/ops/mse_loss_ops.h>
#include <ATen/ops/smooth_l1_loss_backward_ops.h>
#include <ATen/ops/smooth_l1_loss_ops.h>
#include <ATen/ops/sum.h>

#include "torch/arguments.hpp"
#include "torch/pointwise.hpp"

namespace oncilla::adapter {
namespace {

at::Tensor reduced(const at::Tensor& loss, int64_t reduction) {
  return reduction == at::Reduction::Mean ? at::mean(loss) : reduction == at::Reduction::Sum ? at::sum(loss) : loss;
}
// Gradients of means are divided by the number of elements.
double share(const at::Tensor& self, int64_t reduction) {
  return reduction == at::Reduction::Mean ? 1.0 / static_cast<double>(self.numel()) : 1.0;
}

at::Tensor mse(const at::Tensor& self, const at::Tensor& target, int64_t reduction) {
  return reduced(pointwise(Rule::kBinary, {}, {self, target}, {}, [](Ctx& c) { return (c.x(0) - c.x(1)) * (c.x(0) - c.x(1)); }),
                 reduction);
}
at::Tensor mse_grad(const at::Tensor& grad, const at::Tensor& self, const at::Tensor& target, int64_t reduction) {
  const c10::IValue factor(2 * share(self, reduction));
  return pointwise(Rule::kBinary, {}, {grad, self, target}, factor,
                   [](Ctx& c) { return c.s(size_t{0}) * (c.x(1) - c.x(2)) * c.x(0); });
}
at::Tensor smooth_l1(const at::Tensor& self, const at::Tensor& target, int64_t reduction, double beta) {
  TORCH_CHECK(beta >= 0, "smooth_l1_loss does not support negative values for beta.");
  const c10::IValue edge(beta);
  return reduced(pointwise(Rule::kBinary, {}, {self, target}, edge,
                           [](Ctx& c) {
                             const Value z = abs(c.x(0) - c.x(1)), b = c.s(size_t{0});
                             return where(lt(z, b), z * z * 0.5 / b, z - b * 0.5);
                           }),
                 reduction);
}
at::Tensor smooth_l1_grad(const at::Tensor& grad, const at::Tensor& self, const at::Tensor& target, int64_t reduction,
                          double beta) {
  const std::array<c10::IValue, 2> args{share(self, reduction), beta};
  return pointwise(Rule::kBinary, {}, {grad, self, target}, args, [](Ctx& c) {
    const Value z = c.x(1) - c.x(2), b = c.s(1);
    return c.s(size_t{0}) * c.x(0) * where(lt(abs(z), b), z / b, sign(z));
  });
}
at::Tensor huber(const at::Tensor& self, const at::Tensor& target, int64_t reduction, double delta) {
  TORCH_CHECK(delta > 0, "huber_loss does not support non-positive values for delta.");
  const c10::IValue edge(delta);
  return reduced(pointwise(Rule::kBinary, {}, {self, target}, edge,
                           [](Ctx& c) {
                             const Value z = abs(c.x(0) - c.x(1)), d = c.s(size_t{0});
                             return where(le(z, d), z * z * 0.5, d * (z - d * 0.5));
                           }),
                 reduction);
}
at::Tensor huber_grad(const at::Tensor& grad, const at::Tensor& self, const at::Tensor& target, int64_t reduction, double delta) {
  const std::array<c10::IValue, 2> args{share(self, reduction), delta};
  return pointwise(Rule::kBinary, {}, {grad, self, target}, args, [](Ctx& c) {
    const Value z = c.x(1) - c.x(2), d = c.s(1);
    return c.s(size_t{0}) * c.x(0) * where(le(abs(z), d), z, d * sign(z));
  });
}

// Logarithms are held at -100, so that a certain but wrong prediction costs a finite amount.
at::Tensor binary_cross_entropy(const at::Tensor& self, const at::Tensor& target, const Maybe& weight, int64_t reduction) {
  const bool weighted = weight && weight->defined();
  return reduced(pointwise(Rule::kBinary, {}, {self, target, weighted ? *weight : at::Tensor()}, {},
                           [&](Ctx& c) {
                             const Value p = c.x(0), t = c.x(1), floor = c.c(-100);
                             const Value loss = (t - 1.0) * maximum(log1p(-p), floor) - t * maximum(log(p), floor);
                             return weighted ? loss * c.x(2) : loss;
                           }),
                 reduction);
}
at::Tensor binary_cross_entropy_grad(const at::Tensor& grad, const at::Tensor& self, const at::Tensor& target, const Maybe& weight,
                                     int64_t reduction) {
  const bool weighted = weight && weight->defined();
  const c10::IValue factor(share(self, reduction));
  return pointwise(Rule::kBinary, {}, {grad, self, target, weighted ? *weight : at::Tensor()}, factor, [&](Ctx& c) {
    const Value p = c.x(1);
    const Value slope = c.s(size_t{0}) * c.x(0) * (p - c.x(2)) / maximum((1.0 - p) * p, c.c(1e-12));
    return weighted ? slope * c.x(3) : slope;
  });
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::mse_loss, mse>(m);
  kernel<at::_ops::mse_loss_backward, mse_grad>(m);
  kernel<at::_ops::smooth_l1_loss, smooth_l1>(m);
  kernel<at::_ops::smooth_l1_loss_backward, smooth_l1_grad>(m);
  kernel<at::_ops::huber_loss, huber>(m);
  kernel<at::_ops::huber_loss_backward, huber_grad>(m);
  kernel<at::_ops::binary_cross_entropy, binary_cross_entropy>(m);
  kernel<at::_ops::binary_cross_entropy_backward, binary_cross_entropy_grad>(m);
}

}  // namespace oncilla::adapter
