// Cases of CROSS_ENTROPY.
#include <cmath>

#include "ops/losses.hpp"

namespace oncilla::test {

void cases_cross_entropy(Cases& cases) {
  const auto make = [](uint32_t dtype, const LossShape& shape, const LossKind& kind) {
    Case c = loss_case(ONC_OP_CROSS_ENTROPY, dtype, shape, kind);
    c.out.push_back(tensor(dtype, shape.rows()));
    c.labels.push_back("lse");
    return c;
  };
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const LossShape& shape : kLossShapes) {
      for (const LossKind& kind : loss_kinds()) cases.push_back(make(dtype, shape, kind));
    }
    for (const LossKind& kind : rare_loss_kinds()) cases.push_back(make(dtype, kLossShapes[1], kind));
    const LossKind mean{ONC_REDUCTION_MEAN, false, TargetKind::plain}, none{ONC_REDUCTION_NONE, false, TargetKind::plain};
    Case large = make(dtype, {{6, 5}, Layout::contiguous}, mean);
    large.name += " large logits";
    large.in[0].fill = list({1000, 1001, 999, -1000, 1001, 0, -1000});
    cases.push_back(large);
    Case special = make(dtype, {{6, 5}, Layout::contiguous}, none);
    special.name += " NaN and infinity";
    special.in[0].fill = list({1, -INFINITY, 2, 3, 4, NAN, 1, 2, 3, 4, INFINITY, 2, 3, 4, 5, 1, 2, 3, 4, 5});
    cases.push_back(special);
    Case known = make(dtype, {{2, 3}, Layout::contiguous}, mean);
    known.name += " known";
    known.in[0].fill = list({0, 0, 0, 0, std::log(2.0), std::log(5.0)});
    known.in[1].fill = list({1, 2});
    known.known = {{0, {(std::log(3.0) + std::log(8.0 / 5.0)) / 2}}, {1, {2}}, {2, {std::log(3.0), std::log(8.0)}}};
    cases.push_back(known);
  }
}

}  // namespace oncilla::test
