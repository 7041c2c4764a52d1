// Cases of CROSS_ENTROPY.
#include <cmath>

#include "ops/losses.hpp"

namespace oncilla::test {

void cases_cross_entropy(Cases& cases) {
  const auto make = [](uint32_t dtype, const LossShape& shape, const LossKind& kind) {
    return cross_entropy_case(dtype, shape, kind);
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
    // Label smoothing: NONE and MEAN have programs of their own, SUM adds nothing to them.
    for (const LossShape& shape : kLossShapes) {
      cases.push_back(cross_entropy_case(dtype, shape, {ONC_REDUCTION_MEAN, true, TargetKind::ignored}, 0.1));
      cases.push_back(cross_entropy_case(dtype, shape, {ONC_REDUCTION_MEAN, false, TargetKind::plain}, 0.1));
    }
    cases.push_back(cross_entropy_case(dtype, kLossShapes[1], {ONC_REDUCTION_MEAN, true, TargetKind::plain}, 1));
    cases.push_back(cross_entropy_case(dtype, kLossShapes[1], {ONC_REDUCTION_MEAN, true, TargetKind::all_ignored}, 0.1));
    cases.push_back(cross_entropy_case(dtype, kLossShapes[1], {ONC_REDUCTION_MEAN, false, TargetKind::invalid}, 0.1));
    Case infinite = cross_entropy_case(dtype, {{6, 5}, Layout::contiguous}, mean, 0.1);
    infinite.name += " minus infinity";
    infinite.in[0].fill = list({1, -INFINITY, 2, 3, 4});
    cases.push_back(infinite);
    // Numbers of torch.nn.functional.cross_entropy.
    Case torch = cross_entropy_case(dtype, {{3, 3}, Layout::contiguous}, {ONC_REDUCTION_MEAN, true, TargetKind::ignored}, 0.25);
    torch.name += " known";
    torch.in[0].fill = list({0.5, -1, 2, 1, 0, -2, 3, 1, 1});
    torch.in[1].fill = list({2, static_cast<double>(kIgnored), 0});
    torch.in[2].fill = list({0.5, 1, 2});
    torch.known = {{0, {0.56181836693013176}}, {1, {2.5}}};
    cases.push_back(torch);
  }
  for (uint32_t dtype : {ONC_F16, ONC_BF16}) {
    for (size_t shape : kHalfLossShapes) {
      for (const LossKind& kind : half_loss_kinds()) cases.push_back(make(dtype, kLossShapes[shape], kind));
    }
    for (size_t shape : {1, 3, 6, 12})
      cases.push_back(cross_entropy_case(dtype, kLossShapes[shape], {ONC_REDUCTION_MEAN, true, TargetKind::ignored}, 0.1));
  }
}

}  // namespace oncilla::test
