// Cases of BATCH_NORM_GRAD.
#include "ops/normalization.hpp"

namespace oncilla::test {
namespace {

Case grad_case(uint32_t dtype, const NormShape& shape, bool affine, bool training, uint32_t params = 0) {
  if (params == 0) params = dtype;
  const uint32_t saved = statistics_dtype(dtype);
  Case c = batch_norm_case(dtype, shape, affine, false, params);
  c.forward = std::make_shared<Case>(c);
  c.op = ONC_OP_BATCH_NORM_GRAD;
  c.name.replace(0, 10, "batch_norm_grad");
  c.name += training ? "" : " inference";
  onc_batch_norm_grad_attrs attrs{};
  attrs.training = training;
  c.set_attrs(attrs);
  const Dims channels{shape.dims[1]};
  c.in = {tensor(dtype, shape.dims, shape.exact() ? Domain::small_int : Domain::any, shape.layout),
          tensor(dtype, shape.dims, {}, shape.layout), affine ? tensor(params, channels) : absent(), tensor(saved, channels),
          tensor(saved, channels)};
  c.out = {tensor(dtype, shape.dims, {}, shape.layout), tensor(params, channels), tensor(params, channels)};
  c.labels = {"grad_in", "grad_weight", "grad_bias"};
  c.feeds = {{1, false, 0}, {3, true, 1}, {4, true, 2}};
  if (affine) c.feeds.push_back({2, false, 1});
  // In inference mode the forward is another one: mean and invstd are constants.
  if (training) c.gradients = {{0, 0}};
  if (training && affine) c.gradients = {{0, 0}, {1, 1}, {2, 2}};
  c.scalars.clear();
  return c;
}

// In inference mode the forward is a tape, in which mean and invstd are tables that do not depend on x.
Case inference_case(const Dims& dims) {
  Case c = grad_case(ONC_F64, {dims, Layout::contiguous}, true, false);
  c.name += " from a tape";
  Tape tape;
  const Value x = tape.input(ONC_F64), channel = tape.coord(1);
  Value of_channel[4];
  for (Value& value : of_channel) value = tape.gather(tape.table(ONC_F64), channel);
  const auto [weight, bias, mean, invstd] = of_channel;
  tape.output((x - mean) * invstd * weight + bias);
  Case forward;
  forward.op = ONC_OP_EXPR;
  forward.name = c.name + ", forward";
  forward.set_tape(tape);
  forward.dims = dims;
  const Dims channels{dims[1]};
  forward.in = {tensor(ONC_F64, dims), tensor(ONC_F64, channels), tensor(ONC_F64, channels), tensor(ONC_F64, channels),
                tensor(ONC_F64, channels, Domain::positive)};
  forward.out = {tensor(ONC_F64, dims)};
  c.forward = std::make_shared<Case>(forward);
  c.feeds = {{1, false, 0}, {2, false, 1}, {3, false, 3}, {4, false, 4}};
  c.gradients = {{0, 0}, {1, 1}, {2, 2}};
  return c;
}

}  // namespace

void cases_batch_norm_grad(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const NormShape& shape : kNormShapes) {
      for (bool affine : {false, true}) {
        for (bool training : {true, false}) cases.push_back(grad_case(dtype, shape, affine, training));
      }
    }
    for (size_t kept = 0; kept < 3; ++kept) {
      Case one = grad_case(dtype, kNormShapes[4], true, true);
      one.name += " only " + one.labels[kept];
      for (size_t o = 0; o < 3; ++o) {
        if (o != kept) one.out[o] = absent();
      }
      one.gradients.clear();
      cases.push_back(one);
    }
    Case mixed = grad_case(dtype, kNormShapes[4], true, true);
    mixed.name += " expanded grad_out, x channels_last";
    mixed.in[0].broadcast = 12;
    mixed.in[1].layout = Layout::channels_last;
    mixed.gradients.clear();
    cases.push_back(mixed);
  }
  for (const Dims& dims : {Dims{5, 3}, Dims{2, 3, 5}}) cases.push_back(inference_case(dims));
  for (uint32_t dtype : {ONC_F16, ONC_BF16}) {
    for (const NormShape& shape : kNormShapes) {
      cases.push_back(grad_case(dtype, shape, true, true, ONC_F32));
      if (!shape.exact()) cases.push_back(grad_case(dtype, shape, true, true));
    }
    cases.push_back(grad_case(dtype, kNormShapes[4], true, false, ONC_F32));
  }
}

}  // namespace oncilla::test
