// Cases of GROUP_NORM_GRAD.
#include "ops/normalization.hpp"

namespace oncilla::test {

void cases_group_norm_grad(Cases& cases) {
  const auto make = [](uint32_t dtype, const GroupNormShape& shape, const NormKind& kind) {
    return normalize_grad_case(group_norm_case(dtype, shape, kind), ONC_OP_GROUP_NORM_GRAD);
  };
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const GroupNormShape& shape : kGroupNormShapes) {
      if (shape.dims == Dims{1, 1, 1}) continue;  // the gradient of a group of one element is rounding
      for (const NormKind& kind : {NormKind{true, true}, NormKind{false, false}}) cases.push_back(make(dtype, shape, kind));
    }
    for (size_t kept = 0; kept < 3; ++kept) {
      Case one = make(dtype, {{3, 4, 11}, 2}, {true, true});
      one.name += " only " + one.labels[kept];
      for (size_t o = 0; o < 3; ++o) {
        if (o != kept) one.out[o] = absent();
      }
      one.gradients.clear();
      cases.push_back(one);
    }
    Case mixed = make(dtype, {{2, 6, 3, 5}, 3}, {true, true});
    mixed.name += " expanded grad_out, x channels_last, strided weight";
    mixed.in[0].broadcast = 12;
    mixed.in[1].layout = Layout::channels_last;
    mixed.in[2].layout = Layout::strided;
    mixed.out[1].layout = Layout::strided;
    mixed.gradients.clear();
    cases.push_back(mixed);
    Case known = make(dtype, {{1, 4, 2}, 2}, {true, true});
    known.name += " known";
    auto forward = std::make_shared<Case>(*known.forward);
    forward->in[0].fill = list({1, 2, -1, 0.5, 4, -3, 2, 0});
    forward->in[1].fill = list({1.5, -1, 0.5, 2});
    known.forward = forward;
    known.in[0].fill = list({0.5, -1, 2, 1, 0.25, -0.75, 1, -2});
    known.known = {{0,
                    {1.4410611284257135, -0.9514654988902038, -0.4711201647356664, -0.018475464799843744, -0.07769974412562264,
                     0.46891142844413936, 0.8587687450840997, -1.2499804294026162}},
                   {1, {-1.096960831104061, -3.1176781515589105, 1.4017668610666143, 1.0634093428781213}},
                   {2, {-0.5, 3, -0.5, -1}}};
    cases.push_back(known);
  }
  for (const GroupNormShape& shape : kGroupNormShapes) {
    if (shape.dims == Dims{1, 1, 1}) continue;
    cases.push_back(make(ONC_F16, shape, {true, true, false, ONC_F32}));
    cases.push_back(make(ONC_BF16, shape, {true, true}));
  }
}

}  // namespace oncilla::test
