// Cases of LAYER_NORM_GRAD.
#include "ops/normalization.hpp"

namespace oncilla::test {

Case normalize_grad_case(const Case& forward, uint32_t op) {
  Case c = forward;
  c.forward = std::make_shared<Case>(forward);
  c.op = op;
  c.name.insert(c.name.find('/'), "_grad");
  const Tensor &x = forward.in[0], &weight = forward.in[1], &bias = forward.in[2];
  const Tensor& mean = forward.out[1];
  // A gradient may be wanted of what is absent in the forward: its dims are those of the weight.
  Tensor parameter = weight.dtype ? weight : bias;
  if (parameter.dtype == 0) parameter = tensor(x.dtype, op == ONC_OP_GROUP_NORM_GRAD ? Dims{x.dims[1]} : Dims{});
  if (op == ONC_OP_LAYER_NORM_GRAD)
    parameter.dims = Dims(x.dims.begin() + static_cast<std::ptrdiff_t>(mean.dtype ? mean.dims.size() : forward.out[2].dims.size()),
                          x.dims.end());
  parameter.layout = Layout::contiguous;
  parameter.broadcast = 0;
  c.in = {tensor(x.dtype, x.dims, Domain::any, x.layout), x, weight, mean, forward.out[2]};
  c.out = {tensor(x.dtype, x.dims, {}, x.layout), parameter, parameter};
  c.labels = {"grad_in", "grad_weight", "grad_bias"};
  c.feeds = {{1, false, 0}, {4, true, 2}};
  if (weight.dtype) c.feeds.push_back({2, false, 1});
  if (mean.dtype) c.feeds.push_back({3, true, 1});
  c.gradients = {{0, 0}};
  if (weight.dtype) c.gradients.push_back({1, 1});
  if (bias.dtype) c.gradients.push_back({2, 2});
  c.scalars.clear();
  c.known.clear();
  return c;
}

void cases_layer_norm_grad(Cases& cases) {
  const auto make = [](uint32_t dtype, const LayerNormShape& shape, const NormKind& kind) {
    return normalize_grad_case(layer_norm_case(dtype, shape, kind), ONC_OP_LAYER_NORM_GRAD);
  };
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const LayerNormShape& shape : kLayerNormShapes) {
      if (shape.dims == Dims{1, 1}) continue;  // the gradient of a row of one element is rounding
      for (const NormKind& kind : {NormKind{true, true}, NormKind{false, false}, NormKind{true, false, true}})
        cases.push_back(make(dtype, shape, kind));
    }
    for (size_t kept = 0; kept < 3; ++kept) {
      Case one = make(dtype, {{7, 33}, 1}, {true, true});
      one.name += " only " + one.labels[kept];
      for (size_t o = 0; o < 3; ++o) {
        if (o != kept) one.out[o] = absent();
      }
      one.gradients.clear();
      cases.push_back(one);
    }
    Case columns = make(dtype, {{40, 130}, 1}, {true, true});
    columns.name += " without grad_in";
    columns.out[0] = absent();
    columns.gradients.clear();
    cases.push_back(columns);
    Case mixed = make(dtype, {{5, 6, 16}, 2}, {true, true});
    mixed.name += " expanded grad_out, weight and grad_in swapped";
    mixed.in[0].broadcast = 5;
    mixed.in[2].layout = Layout::swapped;
    mixed.out[0].layout = Layout::swapped;
    mixed.out[1].layout = Layout::swapped;
    mixed.gradients.clear();
    cases.push_back(mixed);
    Case known = make(dtype, {{2, 3}, 1}, {true, true});
    known.name += " known";
    auto forward = std::make_shared<Case>(*known.forward);
    forward->in[0].fill = list({1, 2, -1, 0.5, 4, -3});
    forward->in[1].fill = list({1.5, -1, 0.5});
    known.forward = forward;
    known.in[0].fill = list({0.5, -1, 2, 1, 0.25, -0.75});
    known.known = {{0,
                    {-0.12885771527465928, 0.08590500034215487, 0.04295271493250452, 0.4228283276774511, -0.21141413705863904,
                     -0.211414190618812}},
                   {1, {0.13363019143128724, -0.7628555010631779, -1.7540457374643845}},
                   {2, {1.5, -0.75, 1.25}}};
    cases.push_back(known);
    Case rms = make(dtype, {{2, 3}, 1}, {true, false, true});
    rms.name += " known";
    forward = std::make_shared<Case>(*rms.forward);
    forward->in[0].fill = list({1, 2, -1, 0.5, 4, -3});
    forward->in[1].fill = list({1.5, -1, 0.5});
    rms.forward = forward;
    rms.in[0].fill = list({0.5, -1, 2, 1, 0.25, -0.75});
    rms.known = {{0,
                  {0.32409082901000785, 0.29462915130690376, 0.9133429444858836, 0.5110638254489913, -0.13395156173293196,
                   -0.09342489751623859}},
                 {1, {0.5258979012161674, -1.069519237846336, -0.6386557515886971}}};
    cases.push_back(rms);
  }
  for (const LayerNormShape& shape : kLayerNormShapes) {
    if (shape.dims == Dims{1, 1}) continue;
    cases.push_back(make(ONC_F16, shape, {true, true, false, ONC_F32}));
    cases.push_back(make(ONC_BF16, shape, {true, true}));
  }
}

}  // namespace oncilla::test
