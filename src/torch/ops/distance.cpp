// Distances between rows (cdist, pdist) and their gradients, as reductions over broadcast rows: the differences are never stored.
#include "torch/kernel.hpp"

#include <ATen/ExpandUtils.h>
#include <ATen/ops/_cdist_backward_ops.h>
#include <ATen/ops/_cdist_forward_ops.h>
#include <ATen/ops/_pdist_backward_ops.h>
#include <ATen/ops/_pdist_forward_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "torch/arguments.hpp"
#include "torch/indexing.hpp"
#include "torch/reduce.hpp"
#include "torch/spatial.hpp"

namespace oncilla::adapter {
namespace {

// a [batch, n, m], b [batch, k, m] -> out [batch, n, k]
void distances(const at::Tensor& a, const at::Tensor& b, double p, const at::Tensor& out) {
  const std::array<int64_t, 4> sizes{a.size(0), a.size(1), b.size(1), a.size(2)};
  const std::array<at::Tensor, 2> ins{a.unsqueeze(2).expand(sizes), b.unsqueeze(1).expand(sizes)};
  reduce(out, ins, Dims(0b1000), a.scalar_type(), {}, [&](Ctx& c) {
    auto sum = [&](Value v) { return c.tape.reduce(ONC_EX_REDUCE_SUM, v); };
    const Value d = abs(c.x(0) - c.x(1));
    if (p == 0) return sum(where(ne(d, c.c(0)), c.c(1), c.c(0)));
    if (p == 1) return sum(d);
    if (p == 2) return sqrt(sum(d * d));
    if (std::isinf(p)) return c.tape.reduce(ONC_EX_REDUCE_MAX, d);
    return pow(sum(pow(d, c.s(c10::Scalar(p)))), c.s(c10::Scalar(1 / p)));
  });
}

// The gradient of distances with respect to a. grad and dist [batch, n, k].
void distances_grad(const at::Tensor& grad, const at::Tensor& a, const at::Tensor& b, double p, const at::Tensor& dist,
                    const at::Tensor& out) {
  const std::array<int64_t, 4> sizes{a.size(0), a.size(1), b.size(1), a.size(2)};
  const std::array<at::Tensor, 4> ins{a.unsqueeze(2).expand(sizes), b.unsqueeze(1).expand(sizes), grad.unsqueeze(3).expand(sizes),
                                      dist.unsqueeze(3).expand(sizes)};
  reduce(out, ins, Dims(0b0100), a.scalar_type(), {}, [&](Ctx& c) {
    const Value d = c.x(0) - c.x(1), g = c.x(2), length = c.x(3), zero = c.c(0);
    Value each;
    if (p == 1) {
      each = g * sign(d);
    } else if (p == 2) {
      each = where(eq(length, zero), zero, g * d / length);
    } else if (std::isinf(p)) {
      // As the CPU: only differences that are the distance to less than rounding take part.
      each = g * sign(d) * (1.0 - minimum(ceil(abs(abs(d) - length)), c.c(1)));
    } else {
      const Value scale = pow(length, c.s(c10::Scalar(p - 1)));
      each =
          p < 2 ? sign(d) * pow(abs(d), c.s(c10::Scalar(p - 1))) * g / scale : d * pow(abs(d), c.s(c10::Scalar(p - 2))) * g / scale;
      const Value none = eq(length, zero);
      each = where(p < 1 ? logical_or(none, eq(d, zero)) : none, zero, each);
    }
    return c.tape.reduce(ONC_EX_REDUCE_SUM, each);
  });
}

std::vector<int64_t> batch_of(const at::Tensor& t) { return {t.sizes().begin(), t.sizes().end() - 2}; }
// [..., n, m] with the batch dims broadcast, as [batch, n, m].
at::Tensor flat_batch(const at::Tensor& t, std::vector<int64_t> batch) {
  int64_t count = 1;
  for (const int64_t n : batch) count *= n;
  batch.insert(batch.end(), {t.size(-2), t.size(-1)});
  return t.expand(batch).reshape({count, t.size(-2), t.size(-1)});
}

at::Tensor cdist(const at::Tensor& a, const at::Tensor& b, double p, std::optional<int64_t> mode) {
  need_floating(a, "cdist");
  need_floating(b, "cdist");
  TORCH_CHECK(a.dim() >= 2, "cdist only supports at least 2D tensors, X1 got: ", a.dim(), "D");
  TORCH_CHECK(b.dim() >= 2, "cdist only supports at least 2D tensors, X2 got: ", b.dim(), "D");
  TORCH_CHECK(a.size(-1) == b.size(-1), "X1 and X2 must have the same number of columns. X1: ", a.size(-1), " X2: ", b.size(-1));
  TORCH_CHECK(a.scalar_type() == b.scalar_type(), "expected X1 and X2 of one dtype, but got ", a.scalar_type(), " and ",
              b.scalar_type());
  TORCH_CHECK(p >= 0, "cdist only supports non-negative p values");
  TORCH_CHECK(mode.value_or(0) >= 0 && mode.value_or(0) <= 2, "possible modes: 0, 1, 2, but was: ", mode.value_or(0));
  check_same_device(a, b);
  std::vector<int64_t> sizes = at::infer_size(batch_of(a), batch_of(b));
  const at::Tensor x = flat_batch(a, sizes), y = flat_batch(b, sizes);
  sizes.insert(sizes.end(), {a.size(-2), b.size(-2)});
  const at::Tensor out = at::empty(sizes, a.options());
  if (out.numel() == 0) return out;
  if (a.size(-1) == 0) return out.zero_();
  distances(x, y, p, out.view({x.size(0), a.size(-2), b.size(-2)}));
  return out;
}

at::Tensor cdist_grad(const at::Tensor& grad, const at::Tensor& a, const at::Tensor& b, double p, const at::Tensor& dist) {
  need_floating(a, "cdist's gradient");
  std::vector<int64_t> sizes = at::infer_size(batch_of(a), batch_of(b));
  const at::Tensor x = flat_batch(a, sizes), y = flat_batch(b, sizes), g = flat_batch(grad, sizes), d = flat_batch(dist, sizes);
  sizes.insert(sizes.end(), {a.size(-2), a.size(-1)});
  const at::Tensor out = at::empty(sizes, a.options());
  if (out.numel() == 0) return out;
  if (p == 0 || b.size(-2) == 0) return out.zero_();
  distances_grad(g, x, y, p, d, out.view(x.sizes()));
  return out;
}

// --- the distances of one tensor's rows, each pair once

// Row-major positions of the n (n - 1) / 2 pairs i < j within [n, n].
at::Tensor pair_positions(const at::Tensor& like, int64_t n) {
  return first_positions(at::ones({n, n}, like.options().dtype(at::kBool)).triu(1), n * (n - 1) / 2);
}

at::Tensor pdist(const at::Tensor& self, double p) {
  need_floating(self, "pdist");
  TORCH_CHECK(self.dim() == 2, "pdist only supports 2D tensors, got: ", self.dim(), "D");
  TORCH_CHECK(p >= 0, "pdist only supports non-negative p values");
  const int64_t n = self.size(0);
  if (n <= 1) return at::empty({0}, self.options());
  if (self.size(1) == 0) return at::zeros({n * (n - 1) / 2}, self.options());
  const at::Tensor x = self.unsqueeze(0), all = at::empty({1, n, n}, self.options());
  distances(x, x, p, all);
  return at::index_select(all.view({n * n}), 0, pair_positions(self, n));
}

// Pairs as a symmetric matrix with zeros on its diagonal.
at::Tensor square(const at::Tensor& pairs, int64_t n) {
  const at::Tensor upper = at::ones({n, n}, pairs.options().dtype(at::kBool)).triu(1);
  // The pairs are numbered along the rows of the upper triangle, as a running count numbers them.
  const at::Tensor count = upper.view({n * n}).cumsum(0, at::kLong).sub_(1).view({n, n});
  const at::Tensor index = count.where(upper, count.t()).clamp_min(0);
  return at::index_select(pairs, 0, index.reshape({n * n})).view({n, n}).masked_fill_(upper.logical_or(upper.t()).logical_not(), 0);
}

at::Tensor pdist_grad(const at::Tensor& grad, const at::Tensor& self, double p, const at::Tensor& dist) {
  need_floating(self, "pdist's gradient");
  const at::Tensor out = at::empty(self.sizes(), self.options());
  const int64_t n = self.size(0);
  if (p == 0 || n <= 1 || out.numel() == 0) return out.zero_();
  const at::Tensor x = self.unsqueeze(0);
  distances_grad(square(grad.reshape({-1}), n).unsqueeze(0), x, x, p, square(dist.reshape({-1}), n).unsqueeze(0), out.unsqueeze(0));
  return out;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::_cdist_forward, cdist>(m);
  kernel<at::_ops::_cdist_backward, cdist_grad>(m);
  kernel<at::_ops::_pdist_forward, pdist>(m);
  kernel<at::_ops::_pdist_backward, pdist_grad>(m);
}

}  // namespace oncilla::adapter
