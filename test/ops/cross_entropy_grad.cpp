// Cases of CROSS_ENTROPY_GRAD.
#include "ops/losses.hpp"

namespace oncilla::test {

void cases_cross_entropy_grad(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    const auto add = [&](const LossShape& shape, const LossKind& kind, double smoothing = 0) {
      Case c = cross_entropy_case(dtype, shape, kind, smoothing);
      c.forward = std::make_shared<Case>(c);
      c.op = ONC_OP_CROSS_ENTROPY_GRAD;
      c.name.replace(0, 13, "cross_entropy_grad");
      c.in = {c.out[0], c.in[0], c.in[1], c.in[2], c.out[1], c.out[2]};
      c.out = {tensor(dtype, shape.dims, {}, shape.layout)};
      c.labels.clear();
      c.feeds = {{1, false, 0}, {2, false, 1}, {4, true, 1}, {5, true, 2}};
      if (kind.weighted) c.feeds.push_back({3, false, 2});
      if (kind.targets == TargetKind::plain || kind.targets == TargetKind::ignored) c.gradients = {{0, 0}};
      cases.push_back(c);
    };
    if (is_half(dtype)) {
      for (size_t shape : kHalfLossShapes) {
        for (const LossKind& kind : half_loss_kinds()) add(kLossShapes[shape], kind);
      }
      for (size_t shape : {1, 3, 6, 12}) add(kLossShapes[shape], {ONC_REDUCTION_MEAN, true, TargetKind::ignored}, 0.1);
      continue;
    }
    for (const LossShape& shape : kLossShapes) {
      for (const LossKind& kind : loss_kinds()) add(shape, kind);
      add(shape, {ONC_REDUCTION_MEAN, true, TargetKind::ignored}, 0.1);
      add(shape, {ONC_REDUCTION_MEAN, false, TargetKind::plain}, 0.1);
    }
    add(kLossShapes[1], {ONC_REDUCTION_MEAN, true, TargetKind::plain}, 1);
    add(kLossShapes[1], {ONC_REDUCTION_MEAN, true, TargetKind::all_ignored}, 0.1);
    add(kLossShapes[1], {ONC_REDUCTION_MEAN, false, TargetKind::invalid}, 0.1);
    for (const LossKind& kind : rare_loss_kinds()) add(kLossShapes[1], kind);
  }
}

}  // namespace oncilla::test
