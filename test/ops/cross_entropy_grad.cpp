// Cases of CROSS_ENTROPY_GRAD.
#include "ops/losses.hpp"

namespace oncilla::test {

void cases_cross_entropy_grad(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    const auto add = [&](const LossShape& shape, const LossKind& kind) {
      Case c = loss_case(ONC_OP_CROSS_ENTROPY, dtype, shape, kind);
      c.out.push_back(tensor(dtype, shape.rows()));
      c.forward = std::make_shared<Case>(c);
      c.op = ONC_OP_CROSS_ENTROPY_GRAD;
      c.name.replace(0, 13, "cross_entropy_grad");
      c.in = {c.out[0], c.in[0], c.in[1], c.in[2], tensor(dtype, {}), tensor(dtype, shape.rows())};
      c.out = {tensor(dtype, shape.dims, {}, shape.layout)};
      c.labels.clear();
      c.feeds = {{1, false, 0}, {2, false, 1}, {4, true, 1}, {5, true, 2}};
      if (kind.weighted) c.feeds.push_back({3, false, 2});
      if (kind.targets == TargetKind::plain || kind.targets == TargetKind::ignored) c.gradients = {{0, 0}};
      cases.push_back(c);
    };
    for (const LossShape& shape : kLossShapes) {
      for (const LossKind& kind : loss_kinds()) add(shape, kind);
    }
    for (const LossKind& kind : rare_loss_kinds()) add(kLossShapes[1], kind);
  }
}

}  // namespace oncilla::test
