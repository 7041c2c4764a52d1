// Cases of LAYER_NORM.
#include <limits>

#include "ops/normalization.hpp"

namespace oncilla::test {

Case layer_norm_case(uint32_t dtype, const LayerNormShape& shape, const NormKind& kind) {
  Case c;
  c.op = ONC_OP_LAYER_NORM;
  const uint32_t params = kind.params ? kind.params : dtype, saved = statistics_dtype(dtype);
  c.name = std::string("layer_norm/") + dtype_name(dtype) + " " + dims_name(shape.dims) + " last " +
           std::to_string(shape.normalized_rank) + " " + layout_name(shape.layout) + (kind.rms ? " rms" : "") +
           (kind.weight ? " weight" : "") + (kind.bias ? " bias" : "") + (params != dtype ? " float32 parameters" : "");
  onc_layer_norm_attrs attrs{};
  attrs.normalized_rank = shape.normalized_rank;
  attrs.rms = kind.rms;
  c.set_attrs(attrs);
  const Dims leading(shape.dims.begin(), shape.dims.end() - shape.normalized_rank),
      trailing(shape.dims.end() - shape.normalized_rank, shape.dims.end());
  c.in = {tensor(dtype, shape.dims, {}, shape.layout), kind.weight ? tensor(params, trailing) : absent(),
          kind.bias ? tensor(params, trailing) : absent()};
  c.out = {tensor(dtype, shape.dims, {}, shape.layout), kind.rms ? absent() : tensor(saved, leading), tensor(saved, leading)};
  c.labels = {"y", "mean", "invstd"};
  c.scalars = {scalar(1e-5)};
  return c;
}

void cases_layer_norm(Cases& cases) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const LayerNormShape& shape : kLayerNormShapes) {
      for (const NormKind& kind : {NormKind{true, true}, NormKind{false, false}, NormKind{true, false, true}})
        cases.push_back(layer_norm_case(dtype, shape, kind));
    }
    const LayerNormShape row{{4, 40}, 1};
    for (bool rms : {false, true}) {
      Case bias = layer_norm_case(dtype, row, {false, true, rms});
      cases.push_back(bias);
      Case special = layer_norm_case(dtype, row, {true, true, rms});
      special.name += " NaN and infinity";
      std::vector<double> values(120, 1);
      values[3] = nan;
      values[50] = -inf;
      values[90] = 2;
      special.in[0].fill = list(values);
      cases.push_back(special);
      Case bare = layer_norm_case(dtype, row, {true, true, rms});
      bare.name += " only y";
      bare.out[1] = bare.out[2] = absent();
      cases.push_back(bare);
      Case broadcast = layer_norm_case(dtype, {{3, 5, 16}, 1}, {true, false, rms});
      broadcast.name += " broadcast rows";
      broadcast.in[0].broadcast = 1;
      cases.push_back(broadcast);
      Case weights = layer_norm_case(dtype, {{3, 5, 16}, 2}, {true, true, rms});
      weights.name += " weight reversed, bias broadcast";
      weights.in[1].layout = Layout::reversed;
      weights.in[2].broadcast = 1;
      cases.push_back(weights);
    }
    Case offset = layer_norm_case(dtype, {{3, 1025}, 1}, {true, true});
    offset.name += " offset 100000";  // far from zero; the mean itself is exact
    offset.in[0].fill = list({100000, 100001, 100002, 100003, 100004});
    cases.push_back(offset);
    // Numbers of torch.nn.functional.layer_norm and rms_norm.
    Case known = layer_norm_case(dtype, {{2, 3}, 1}, {true, true});
    known.name += " known";
    known.in[0].fill = list({1, 2, -1, 0.5, 4, -3});
    known.in[1].fill = list({1.5, -1, 0.5});
    known.in[2].fill = list({0.25, 2, 0});
    known.known = {
        {0, {0.6508905742938617, 0.9309584685497023, -0.6681509571564359, 0.25, 0.7752558784515211, -0.6123720607742394}},
        {1, {2.0 / 3, 0.5}},
        {2, {0.8017811485877232, 0.34992689187099396}}};
    cases.push_back(known);
    Case rms = layer_norm_case(dtype, {{2, 3}, 1}, {true, false, true});
    rms.name += " known";
    rms.in[0].fill = list({1, 2, -1, 0.5, 4, -3});
    rms.in[1].fill = list({1.5, -1, 0.5});
    rms.known = {{0,
                  {1.0606575201393356, -1.4142100268524473, -0.35355250671311184, 0.2585180917545834, -1.3787631560244447,
                   -0.5170361835091668}}};
    cases.push_back(rms);
  }
  for (uint32_t dtype : {ONC_F16, ONC_BF16}) {
    for (const LayerNormShape& shape : kLayerNormShapes) {
      cases.push_back(layer_norm_case(dtype, shape, {true, true, false, ONC_F32}));
      cases.push_back(layer_norm_case(dtype, shape, {true, false, true}));
    }
  }
}

}  // namespace oncilla::test
