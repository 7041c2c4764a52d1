// Losses of margins between classes. Every pair of a class and a target is one element of a tape that is reduced where it stands:
// no tensor of pairs is made.
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/core/Reduction.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cumprod.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/ge.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/multi_margin_loss_backward_ops.h>
#include <ATen/ops/multi_margin_loss_ops.h>
#include <ATen/ops/multilabel_margin_loss_backward_ops.h>
#include <ATen/ops/multilabel_margin_loss_forward_ops.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/scatter.h>
#include <ATen/ops/scatter_add.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include "torch/arguments.hpp"
#include "torch/reduce.hpp"

namespace oncilla::adapter {
namespace {

at::Tensor reduced(const at::Tensor& loss, int64_t reduction) {
  return reduction == at::Reduction::Mean ? at::mean(loss) : reduction == at::Reduction::Sum ? at::sum(loss) : loss;
}

// Scores [N,C] and what belongs to them: a sample without a batch dim is a batch of one.
struct Rows {
  at::Tensor x;
  int64_t n, classes;
  Rows(const at::Tensor& self, const char* op) {
    need_floating(self, op);
    TORCH_CHECK((self.dim() == 2 && self.size(1) != 0) || (self.dim() == 1 && self.size(0) != 0) || self.dim() == 0,
                "Expected non-empty vector or matrix with optional 0-dim batch size, but got: ", self.sizes());
    x = self.dim() == 2 ? self : self.reshape({1, -1});
    n = x.size(0);
    classes = x.size(1);
  }
  double share(int64_t reduction) const {
    return 1.0 / static_cast<double>(reduction == at::Reduction::Mean ? classes * n : classes);
  }
  // Gradients of unreduced losses are one a sample.
  at::Tensor each(const at::Tensor& grad, int64_t reduction) const {
    return reduction == at::Reduction::None && grad.dim() > 0 ? grad.reshape({n, 1}).expand({n, classes})
                                                              : grad.reshape({1, 1}).expand({n, classes});
  }
};

struct MultiMargin : Rows {
  at::Tensor target, own, weight, column;
  bool square;
  double margin;

  MultiMargin(const at::Tensor& self, const at::Tensor& given, const at::Scalar& p, const at::Scalar& margin, const Maybe& weights)
      : Rows(self, "multi_margin_loss"), square(p.toLong() == 2), margin(margin.toDouble()) {
    TORCH_CHECK(p.toLong() == 1 || p.toLong() == 2, "only p == 1 and p == 2 supported");
    TORCH_CHECK(
        given.dim() <= 1 && given.numel() == n,
        "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size). Expected "
        "target size [",
        n, "], but got ", given.sizes(), ". Input has shape ", self.sizes(), ".");
    TORCH_CHECK(given.scalar_type() == at::kLong, "expected scalar type Long but found ", given.scalar_type());
    const at::Tensor rows = given.reshape({n, 1}), w = of(weights);
    target = rows.expand({n, classes});
    own = at::gather(x, 1, rows).expand({n, classes});
    column = at::arange(classes, rows.options()).expand({n, classes});
    if (w.defined()) {
      TORCH_CHECK(w.dim() <= 1 && w.numel() == classes, "inconsistent weight size, expected ", classes, " but got ", w.sizes());
      weight = at::gather(w.reshape({1, classes}).expand({n, classes}), 1, rows).expand({n, classes});
    } else {
      weight = at::full({1, 1}, 1, x.options()).expand({n, classes});
    }
  }
  // Operands: x, own, weight, column, target.
  std::array<at::Tensor, 5> operands() const { return {x, own, weight, column, target}; }
  Value beyond(Ctx& c) const { return c.s(c10::Scalar(margin)) - c.x(1) + c.x(0); }
  static Value counts(Ctx& c, Value beyond) { return logical_and(gt(beyond, c.c(0)), ne(c.raw(3), c.raw(4))); }
};

at::Tensor multi_margin(const at::Tensor& self, const at::Tensor& target, const at::Scalar& p, const at::Scalar& margin,
                        const Maybe& weight, int64_t reduction) {
  const MultiMargin m(self, target, p, margin, weight);
  const at::Tensor out = at::empty({m.n}, self.options());
  reduce(out, m.operands(), Dims(2), self.scalar_type(), {}, [&](Ctx& c) {
    const Value beyond = m.beyond(c), cost = m.square ? beyond * beyond : beyond;
    const Value term = where(MultiMargin::counts(c, beyond), cost * c.x(2), c.c(0));
    return c.tape.reduce(ONC_EX_REDUCE_SUM, term) / c.c(static_cast<double>(m.classes));
  });
  return reduced(reduction == at::Reduction::None && target.dim() == 0 ? out.reshape({}) : out, reduction);
}
at::Tensor multi_margin_grad(const at::Tensor& grad, const at::Tensor& self, const at::Tensor& target, const at::Scalar& p,
                             const at::Scalar& margin, const Maybe& weight, int64_t reduction) {
  const MultiMargin m(self, target, p, margin, weight);
  if (self.numel() == 0) return at::empty(self.sizes(), self.options());
  const at::Tensor slopes = at::empty({m.n, m.classes}, self.options());
  at::TensorIteratorConfig config;
  config.check_all_same_dtype(false).add_output(slopes);
  const at::Tensor each = m.each(grad, reduction);
  for (const at::Tensor& t : m.operands()) config.add_const_input(t);
  auto iter = config.add_const_input(each).build();
  pointwise(iter, self.scalar_type(), {}, [&](Ctx& c) {
    const Value beyond = m.beyond(c), slope = c.x(5) * c.x(2) * c.s(c10::Scalar(m.share(reduction)));
    return where(MultiMargin::counts(c, beyond), m.square ? slope * beyond * 2.0 : slope, c.c(0));
  });
  // What raises the other classes lowers the target.
  const at::Tensor own = at::neg(at::sum(slopes, 1, true));
  return at::scatter(slopes, 1, m.target.narrow(1, 0, 1), own).view(self.sizes());
}

struct MultiLabel : Rows {
  at::Tensor valid, index, is_target;  // [N,C]: labels before the first -1; where they point, C where they do not count
  explicit MultiLabel(const at::Tensor& self, const at::Tensor& given) : Rows(self, "multilabel_margin_loss") {
    TORCH_CHECK(given.sizes() == self.sizes(), "inconsistent target size: ", given.sizes(), " for input of size: ", self.sizes());
    TORCH_CHECK(given.scalar_type() == at::kLong, "expected scalar type Long but found ", given.scalar_type());
    const at::Tensor labels = given.reshape({n, classes});
    valid = at::cumprod(at::ge(labels, 0).to(at::kLong), 1);
    index = at::where(valid.to(at::kBool), labels, classes);
    is_target = at::scatter(at::zeros({n, classes + 1}, x.options()), 1, index, 1).narrow(1, 0, classes);
  }
  // [N,K,C]: scores of labels and of classes, which labels count, which classes are labels.
  std::array<at::Tensor, 4> pairs() const {
    const std::array<int64_t, 3> sizes{n, classes, classes};
    const at::Tensor own = at::gather(x, 1, at::where(valid.to(at::kBool), index, 0));
    return {own.unsqueeze(2).expand(sizes), x.unsqueeze(1).expand(sizes), valid.unsqueeze(2).expand(sizes),
            is_target.unsqueeze(1).expand(sizes)};
  }
  static Value beyond(Ctx& c) { return 1.0 - c.x(0) + c.x(1); }
  static Value counts(Ctx& c) { return logical_and(gt(beyond(c), c.c(0)), logical_and(ne(c.x(2), c.c(0)), eq(c.x(3), c.c(0)))); }
};

std::tuple<at::Tensor, at::Tensor> multi_label(const at::Tensor& self, const at::Tensor& target, int64_t reduction) {
  const MultiLabel m(self, target);
  const at::Tensor out = at::empty({m.n}, self.options());
  reduce(out, m.pairs(), Dims(6), self.scalar_type(), {}, [&](Ctx& c) {
    const Value cost = where(MultiLabel::counts(c), MultiLabel::beyond(c), c.c(0));
    return c.tape.reduce(ONC_EX_REDUCE_SUM, cost) / c.c(static_cast<double>(m.classes));
  });
  return {reduced(self.dim() < 2 ? out.reshape({}) : out, reduction), m.is_target.reshape(target.sizes())};
}
at::Tensor multi_label_grad(const at::Tensor& grad, const at::Tensor& self, const at::Tensor& target, int64_t reduction,
                            const at::Tensor&) {
  const MultiLabel m(self, target);
  const auto pairs = m.pairs();
  const at::Tensor by_label = at::empty({m.n, m.classes}, self.options()), by_class = at::empty_like(by_label);
  auto count = [](Ctx& c) { return c.tape.reduce(ONC_EX_REDUCE_SUM, where(MultiLabel::counts(c), c.c(1), c.c(0))); };
  reduce(by_label, pairs, Dims(4), self.scalar_type(), {}, count);
  reduce(by_class, pairs, Dims(2), self.scalar_type(), {}, count);
  const at::Tensor lowered = at::scatter_add(at::zeros({m.n, m.classes + 1}, self.options()), 1, m.index, by_label);
  const c10::IValue factor(m.share(reduction));
  return pointwise(Rule::kBinary, {}, {m.each(grad, reduction), by_class, lowered.narrow(1, 0, m.classes)}, factor,
                   [](Ctx& c) { return c.x(0) * c.s(size_t{0}) * (c.x(1) - c.x(2)); })
      .reshape(self.sizes());
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::multi_margin_loss, multi_margin>(m);
  kernel<at::_ops::multi_margin_loss_backward, multi_margin_grad>(m);
  kernel<at::_ops::multilabel_margin_loss_forward, multi_label>(m);
  kernel<at::_ops::multilabel_margin_loss_backward, multi_label_grad>(m);
}

}  // namespace oncilla::adapter
