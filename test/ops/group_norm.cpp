// Cases of GROUP_NORM. Instance normalisation is group normalisation with a group a channel.
#include "ops/normalization.hpp"

namespace oncilla::test {

Case group_norm_case(uint32_t dtype, const GroupNormShape& shape, const NormKind& kind) {
  Case c;
  c.op = ONC_OP_GROUP_NORM;
  const uint32_t params = kind.params ? kind.params : dtype, saved = statistics_dtype(dtype);
  c.name = std::string("group_norm/") + dtype_name(dtype) + " " + dims_name(shape.dims) + " groups " +
           std::to_string(shape.groups) + " " + layout_name(shape.layout) + (kind.weight ? " weight" : "") +
           (kind.bias ? " bias" : "") + (params != dtype ? " float32 parameters" : "");
  onc_group_norm_attrs attrs{};
  attrs.groups = shape.groups;
  c.set_attrs(attrs);
  const Dims channels{shape.dims[1]}, groups{shape.dims[0], shape.groups};
  c.in = {tensor(dtype, shape.dims, {}, shape.layout), kind.weight ? tensor(params, channels) : absent(),
          kind.bias ? tensor(params, channels) : absent()};
  c.out = {tensor(dtype, shape.dims, {}, shape.layout), tensor(saved, groups), tensor(saved, groups)};
  c.labels = {"y", "mean", "invstd"};
  c.scalars = {scalar(1e-5)};
  return c;
}

void cases_group_norm(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const GroupNormShape& shape : kGroupNormShapes) {
      for (const NormKind& kind : {NormKind{true, true}, NormKind{false, false}, NormKind{true, false}})
        cases.push_back(group_norm_case(dtype, shape, kind));
    }
    Case strided = group_norm_case(dtype, {{2, 6, 3, 5}, 3}, {true, true});
    strided.name += " strided weight, bias broadcast, from channels_last";
    strided.in[0].layout = Layout::channels_last;
    strided.in[1].layout = Layout::strided;
    strided.in[2].broadcast = 1;
    cases.push_back(strided);
    Case bare = group_norm_case(dtype, {{2, 6, 3, 5}, 3}, {true, true});
    bare.name += " only y";
    bare.out[1] = bare.out[2] = absent();
    cases.push_back(bare);
    // Numbers of torch.nn.functional.group_norm and instance_norm.
    Case known = group_norm_case(dtype, {{1, 4, 2}, 2}, {true, true});
    known.name += " known";
    known.in[0].fill = list({1, 2, -1, 0.5, 4, -3, 2, 0});
    known.in[1].fill = list({1.5, -1, 0.5, 2});
    known.in[2].fill = list({0.25, 2, 0, -1});
    known.known = {{0,
                    {0.7696130252598183, 2.1552477592860004, 3.501104295195031, 2.1154695611688483, 0.6283782480643444,
                     -0.7250518246896281, -0.033264233747162475, -1.5800414597517025}},
                   {1, {0.625, 0.75}},
                   {2, {0.9237564893507882, 0.386694306501135}}};
    cases.push_back(known);
    Case instance = group_norm_case(dtype, {{1, 4, 2}, 4}, {false, false});
    instance.name += " instance norm, known";
    instance.in[0].fill = list({1, 2, -1, 0.5, 4, -3, 2, 0});
    instance.known = {{0,
                       {-0.9999800005999799, 0.9999800005999799, -0.9999911112296278, 0.9999911112296278, 0.9999995918369846,
                        -0.9999995918369846, 0.9999950000374997, -0.9999950000374997}}};
    cases.push_back(instance);
  }
  for (uint32_t dtype : {ONC_F16, ONC_BF16}) {
    for (const GroupNormShape& shape : kGroupNormShapes)
      cases.push_back(group_norm_case(dtype, shape, {true, true, false, ONC_F32}));
  }
}

}  // namespace oncilla::test
