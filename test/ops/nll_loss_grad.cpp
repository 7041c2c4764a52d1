// Cases of NLL_LOSS_GRAD.
#include "ops/losses.hpp"

namespace oncilla::test {

void cases_nll_loss_grad(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    const auto add = [&](const LossShape& shape, const LossKind& kind) {
      Case c = loss_case(ONC_OP_NLL_LOSS, dtype, shape, kind);
      c.forward = std::make_shared<Case>(c);
      c.op = ONC_OP_NLL_LOSS_GRAD;
      c.name.replace(0, 8, "nll_loss_grad");
      c.in = {c.out[0], c.in[1], c.in[2], tensor(saved_dtype(dtype), {})};
      c.out = {tensor(dtype, shape.dims, {}, shape.layout)};
      c.labels.clear();
      c.feeds = {{1, false, 1}, {3, true, 1}};
      if (kind.weighted) c.feeds.push_back({2, false, 2});
      // Over targets of which none counts the mean is 0/0, and there is no derivative to compare.
      if (kind.targets == TargetKind::plain || kind.targets == TargetKind::ignored) c.gradients = {{0, 0}};
      cases.push_back(c);
    };
    if (is_half(dtype)) {
      for (size_t shape : kHalfLossShapes) {
        for (const LossKind& kind : half_loss_kinds()) add(kLossShapes[shape], kind);
      }
      continue;
    }
    for (const LossShape& shape : kLossShapes) {
      for (const LossKind& kind : loss_kinds()) add(shape, kind);
    }
    for (const LossKind& kind : rare_loss_kinds()) add(kLossShapes[1], kind);
  }
}

}  // namespace oncilla::test
