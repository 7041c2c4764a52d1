// Cases of NLL_LOSS.
#include "ops/losses.hpp"

namespace oncilla::test {

void cases_nll_loss(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const LossShape& shape : kLossShapes) {
      for (const LossKind& kind : loss_kinds()) cases.push_back(loss_case(ONC_OP_NLL_LOSS, dtype, shape, kind));
    }
    for (const LossKind& kind : rare_loss_kinds()) cases.push_back(loss_case(ONC_OP_NLL_LOSS, dtype, kLossShapes[1], kind));
  }
  for (uint32_t dtype : {ONC_F16, ONC_BF16}) {
    for (size_t shape : kHalfLossShapes) {
      for (const LossKind& kind : half_loss_kinds()) cases.push_back(loss_case(ONC_OP_NLL_LOSS, dtype, kLossShapes[shape], kind));
    }
  }
  Case known = loss_case(ONC_OP_NLL_LOSS, ONC_F32, {{3, 2}, Layout::contiguous}, {ONC_REDUCTION_MEAN, true, TargetKind::plain});
  known.name += " known";
  known.in[0].fill = list({-1, -2, -3, -4, -5, -6});
  known.in[1].fill = list({0, 1, static_cast<double>(kIgnored)});
  known.in[2].fill = list({1, 3});
  known.known = {{0, {3.25}}, {1, {4}}};
  cases.push_back(known);
}

}  // namespace oncilla::test
