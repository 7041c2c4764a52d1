// Draws from distributions other than the uniform, the normal and Bernoulli's, by inverting their cumulative functions. The
// `repro_` rows give the same bits on every device.
#include "torch/kernel.hpp"

#include <ATen/ExpandUtils.h>
#include <ATen/native/Resize.h>
#include <ATen/native/TensorFactories.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/cauchy_ops.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/exponential_ops.h>
#include <ATen/ops/geometric_ops.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/log_normal_ops.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/multinomial_native.h>
#include <ATen/ops/multinomial_ops.h>
#include <ATen/ops/normal_ops.h>
#include <ATen/ops/randperm_ops.h>
#include <ATen/ops/rrelu_with_noise_ops.h>
#include <ATen/ops/searchsorted.h>

#include <cmath>
#include <limits>

#include "torch/arguments.hpp"
#include "torch/draw.hpp"

namespace oncilla::adapter {
namespace {

at::Tensor& exponential(at::Tensor& self, double rate, Gen generator) {
  need_dtype(self.scalar_type());
  TORCH_CHECK(rate > 0.0, "exponential_ expects lambda > 0.0, but found lambda=", rate);
  TORCH_CHECK(
      self.is_floating_point(),
      "Exponential distribution is a continuous probability distribution. dtype must be a floating point but you specified ",
      self.dtype());
  draw(self, {}, self.scalar_type(), generator, [&](Ctx& c) {
    const Value scale = c.s(c10::Scalar(1 / rate)), u = unit_with_one(c.tape, c.dtype);
    // 0 is not among the values, since others divide by them: -log(1) counts as half a step below 1.
    const double least = (c.dtype == ONC_F64 ? std::numeric_limits<double>::epsilon() : std::numeric_limits<float>::epsilon()) / 2;
    return maximum(-repro_log(u), c.c(least)) * scale;
  });
  return self;
}
at::Tensor& cauchy(at::Tensor& self, double median, double sigma, Gen generator) {
  need_dtype(self.scalar_type());
  TORCH_CHECK(sigma > 0.0, "cauchy_ expects sigma > 0.0, but found sigma=", sigma);
  TORCH_CHECK(self.is_floating_point(),
              "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you specified ",
              self.dtype());
  draw(self, {}, self.scalar_type(), generator, [&](Ctx& c) {
    // tan(pi * (u - 1/2)); u = 1 is the same pole as u = 0, held at the last number before it.
    const Value m = c.s(c10::Scalar(median)), s = c.s(c10::Scalar(sigma));
    const double step = c.dtype == ONC_F64 ? std::numeric_limits<double>::epsilon() : std::numeric_limits<float>::epsilon();
    const Value turn = minimum(unit_with_one(c.tape, c.dtype), c.c(1 - step)) - 0.5;
    return m + s * (repro_sinpi(turn) * repro_reciprocal(repro_cospi(turn)));
  });
  return self;
}
at::Tensor& geometric(at::Tensor& self, double p, Gen generator) {
  need_dtype(self.scalar_type());
  TORCH_CHECK(0 < p && p < 1, "geometric_ expects p to be in (0, 1), but got p=", p);
  draw(self, {}, self.scalar_type() == at::kDouble ? at::kDouble : at::kFloat, generator, [&](Ctx& c) {
    const Value slope = c.s(c10::Scalar(1 / std::log1p(-p)));
    return maximum(ceil(repro_log(unit_with_one(c.tape, c.dtype)) * slope), c.c(1));
  });
  return self;
}
at::Tensor& log_normal(at::Tensor& self, double mean, double std, Gen generator) {
  need_floating_draw(self, "log_normal_");
  TORCH_CHECK(std > 0.0, "log_normal_ expects std > 0.0, but found std=", std);
  draw(self, {}, self.scalar_type(), generator, [&](Ctx& c) {
    const Value m = c.s(c10::Scalar(mean)), s = c.s(c10::Scalar(std));
    return repro_exp(m + s * normal(c.tape, c.dtype));
  });
  return self;
}

// --- normal numbers with a mean and a deviation of each element

void check_std(const at::Tensor& std) {
  TORCH_CHECK(!std.is_complex(), "normal expects standard deviation to be non-complex");
  TORCH_CHECK(std.numel() == 0 || std.min().ge(0).item<bool>(), "normal expects all elements of std >= 0.0");
}
at::Tensor normal_means(const at::Tensor& mean, double std, Gen generator) {
  TORCH_CHECK(std >= 0.0, "normal expects std >= 0.0, but found std ", std);
  need_floating_draw(mean, "normal");
  const at::Tensor out = at::empty(mean.sizes(), mean.options());
  draw(out, mean, mean.scalar_type(), generator, [&](Ctx& c) {
    const Value s = c.s(c10::Scalar(std));
    return c.x(0) + s * normal(c.tape, c.dtype);
  });
  return out;
}
at::Tensor normal_deviations(double mean, const at::Tensor& std, Gen generator) {
  check_std(std);
  need_floating_draw(std, "normal");
  const at::Tensor out = at::empty(std.sizes(), std.options());
  draw(out, std, std.scalar_type(), generator, [&](Ctx& c) {
    const Value m = c.s(c10::Scalar(mean));
    return m + c.x(0) * normal(c.tape, c.dtype);
  });
  return out;
}
at::Tensor normal_both(const at::Tensor& mean, const at::Tensor& std, Gen generator) {
  check_std(std);
  need_floating_draw(mean, "normal");
  const std::vector<int64_t> sizes = at::infer_size(mean.sizes(), std.sizes());
  const at::Tensor out = at::empty(sizes, mean.options());
  const std::array<at::Tensor, 2> ins{mean.expand(sizes), std.to(mean.options()).expand(sizes)};
  draw(out, ins, mean.scalar_type(), generator, [](Ctx& c) { return c.x(0) + c.x(1) * normal(c.tape, c.dtype); });
  return out;
}

// --- choices

at::Tensor& multinomial_out(const at::Tensor& self, c10::SymInt wanted, bool replacement, Gen generator, at::Tensor& out) {
  const int64_t count = wanted.guard_int(__FILE__, __LINE__);
  // Without replacement PyTorch orders the classes by p / exponential draw, which runs here; with it, one draw is the same.
  if (!replacement || count <= 1 || self.numel() == 0) return at::native::multinomial_out(self, count, replacement, generator, out);
  need_floating_draw(self, "multinomial");
  TORCH_CHECK(self.device() == out.device(), "multinomial arguments must have the same device");
  TORCH_CHECK(self.dim() > 0 && self.dim() <= 2, "prob_dist must be 1 or 2 dim");
  TORCH_CHECK(out.scalar_type() == at::kLong, "multinomial expects Long tensor out, got: ", out.scalar_type());
  const at::Tensor p = self.to(wide_of(self.scalar_type())), total = at::cumsum(p, -1);
  const at::Tensor whole = total.narrow(-1, p.size(-1) - 1, 1);
  const at::Tensor valid = p.min().ge(0).logical_and(p.max().lt(std::numeric_limits<double>::infinity()));
  TORCH_CHECK(valid.item<bool>(), "probability tensor contains either `inf`, `nan` or element < 0");
  TORCH_CHECK(whole.min().gt(0).item<bool>(), "invalid multinomial distribution (sum of probabilities <= 0)");
  std::vector<int64_t> sizes = p.sizes().vec();
  sizes.back() = count;
  const at::Tensor at = at::empty(sizes, p.options()).uniform_(0, 1, generator);
  // Strictly below the whole, so that no class behind the last possible one is found.
  const double below = 1 - 2 * (p.scalar_type() == at::kDouble ? std::numeric_limits<double>::epsilon()
                                                               : static_cast<double>(std::numeric_limits<float>::epsilon()));
  const at::Tensor found = at::searchsorted(total, at::minimum(at::mul(at, whole), at::mul(whole, below)), false, true);
  at::native::resize_output(out, sizes);
  return out.copy_(found);
}
at::Tensor multinomial(const at::Tensor& self, c10::SymInt wanted, bool replacement, Gen generator) {
  at::Tensor out = at::empty({0}, self.options().dtype(at::kLong));
  return multinomial_out(self, wanted, replacement, generator, out);
}

at::Tensor& permutation_out(c10::SymInt n, Gen generator, at::Tensor& out) {
  const int64_t count = n.guard_int(__FILE__, __LINE__);
  TORCH_CHECK(count >= 0, "n must be non-negative, got", count);
  TORCH_CHECK(!generator || generator->device() == out.device(), "Expected a '", out.device(), "' generator device but found '",
              generator ? generator->device() : out.device(), "'");
  at::native::check_supported_max_int_with_precision(count, out);
  if (out.numel() != count) out.resize_({count});
  if (count == 0) return out;
  // The order of random keys of 63 bits, two of which are hardly ever equal.
  const at::Tensor keys = at::empty({count}, out.options().dtype(at::kLong)).random_(generator);
  out.copy_(at::argsort(keys, true, 0, false).view(out.sizes()));
  return out;
}

// --- rrelu: a leaky slope drawn for each element

at::Tensor& rrelu_out(const at::Tensor& self, at::Tensor& noise, const at::Scalar& lower, const at::Scalar& upper, bool training,
                      Gen generator, at::Tensor& out) {
  need_floating(self, "rrelu");
  const double low = lower.toDouble(), high = upper.toDouble();
  TORCH_CHECK(low <= high, "Lower bound should be less than or equal to the upper bound");
  TORCH_CHECK(std::isfinite(low) && std::isfinite(high), "rrelu: bounds must be finite");
  TORCH_CHECK(self.scalar_type() == noise.scalar_type() && self.scalar_type() == out.scalar_type(), "Expected tensors of dtype ",
              self.scalar_type(), ", but got noise of ", noise.scalar_type(), " and out of ", out.scalar_type());
  at::native::resize_output(out, self.sizes());
  if (!training) return out.copy_(at::leaky_relu(self, (low + high) / 2));
  if (noise.sizes() != self.sizes()) noise.resize_(self.sizes());
  const std::array<at::Tensor, 2> outs{out, noise};
  draw(outs, self, self.scalar_type(), generator, [&](Ctx& c) {
    const Value from = c.s(c10::Scalar(low)), span = c.s(c10::Scalar(high - low));
    const Value slope = from + span * uniform(c.tape, c.dtype), down = le(c.x(0), c.c(0));
    c.out(where(down, c.x(0) * slope, c.x(0)));
    c.out(where(down, slope, c.c(1)));
    return Value();
  });
  return out;
}
at::Tensor rrelu(const at::Tensor& self, at::Tensor& noise, const at::Scalar& lower, const at::Scalar& upper, bool training,
                 Gen generator) {
  at::Tensor out = at::empty_like(self);
  return rrelu_out(self, noise, lower, upper, training, generator, out);
}
at::Tensor& rrelu_in_place(at::Tensor& self, at::Tensor& noise, const at::Scalar& lower, const at::Scalar& upper, bool training,
                           Gen generator) {
  return rrelu_out(self, noise, lower, upper, training, generator, self);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::exponential_, exponential>(m);
  kernel<at::_ops::cauchy_, cauchy>(m);
  kernel<at::_ops::geometric_, geometric>(m);
  kernel<at::_ops::log_normal_, log_normal>(m);
  kernel<at::_ops::normal_Tensor_float, normal_means>(m);
  kernel<at::_ops::normal_float_Tensor, normal_deviations>(m);
  kernel<at::_ops::normal_Tensor_Tensor, normal_both>(m);
  kernel<at::_ops::multinomial, multinomial>(m);
  kernel<at::_ops::multinomial_out, multinomial_out>(m);
  kernel<at::_ops::randperm_generator_out, permutation_out>(m);
  kernel<at::_ops::rrelu_with_noise, rrelu>(m);
  kernel<at::_ops::rrelu_with_noise_out, rrelu_out>(m);
  kernel<at::_ops::rrelu_with_noise_, rrelu_in_place>(m);
}

}  // namespace oncilla::adapter
