#include "descriptor.hpp"

TensorSpec::TensorSpec(uint32_t dtype, Sizes sizes) : dtype(dtype), dims(std::move(sizes)), strides(dims.size()) {
  int64_t step = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = step;
    step *= dims[i];
  }
}

uint16_t Descriptor::push(uint32_t opcode, uint32_t dtype, uint16_t a, uint16_t b, uint16_t c) {
  onc_expr_inst inst{};
  inst.op = static_cast<uint16_t>(opcode);
  inst.dtype = static_cast<uint16_t>(dtype);
  inst.a = a;
  inst.b = b;
  inst.c = c;
  insts.push_back(inst);
  return static_cast<uint16_t>(insts.size() - 1);
}

Outcome Descriptor::plan(const Fixture& f, onc_plan** plan) const {
  std::vector<onc_tensor_desc> tensors;
  for (const auto* side : {&in, &out}) {
    for (const auto& spec : *side) {
      onc_tensor_desc t{};
      if (spec) {
        t = spec->head;
        t.dtype = spec->dtype;
        t.rank = static_cast<uint32_t>(spec->dims.size());
        t.dims = spec->dims.data();
        t.strides = spec->strides.data();
      }
      tensors.push_back(t);
    }
  }
  if (bend_tensors) bend_tensors(tensors);
  std::vector<const onc_tensor_desc*> ins, all_outs;
  for (size_t i = 0; i < in.size(); ++i) ins.push_back(in[i] ? &tensors[i] : nullptr);
  for (size_t i = 0; i < out.size(); ++i) all_outs.push_back(out[i] ? &tensors[in.size() + i] : nullptr);

  onc_op_desc desc{sizeof(onc_op_desc)};
  desc.op = op;
  desc.n_in = static_cast<uint32_t>(ins.size());
  desc.n_out = static_cast<uint32_t>(all_outs.size());
  desc.in = ins.data();
  desc.out = all_outs.data();
  desc.attrs = attr_words.empty() ? nullptr : attr_words.data();

  onc_expr_attrs expr{sizeof(onc_expr_attrs)};
  expr.rank = static_cast<uint32_t>(dims.size());
  expr.reduce_rank = reduce_rank;
  expr.n_insts = static_cast<uint32_t>(insts.size());
  expr.n_outs = static_cast<uint32_t>(outs.size());
  expr.n_scalars = n_scalars;
  expr.dims = dims.data();
  expr.insts = insts.data();
  expr.outs = outs.data();
  onc_foreach_attrs foreach{sizeof(onc_foreach_attrs)};
  foreach
    .n_tensors = n_tensors;
  foreach
    .n_in_lists = static_cast<uint32_t>(in.size()) / (n_tensors > 0 ? n_tensors : 1);
  foreach
    .n_out_lists = static_cast<uint32_t>(outs.size());
  foreach
    .n_insts = static_cast<uint32_t>(insts.size());
  foreach
    .n_scalars = n_scalars;
  foreach
    .n_tensor_scalars = n_tensor_scalars;
  foreach
    .insts = insts.data();
  foreach
    .outs = outs.data();
  if (op == ONC_OP_EXPR) {
    if (bend_expr) bend_expr(expr);
    desc.attrs = &expr;
  } else if (op == ONC_OP_FOREACH) {
    if (bend_foreach) bend_foreach(foreach);
    desc.attrs = &foreach;
  }
  if (bend) bend(desc);

  onc_plan* made = nullptr;
  const Outcome result = outcome(f.api.plan_create(f.device, &desc, &made));
  if (plan != nullptr) {
    *plan = made;
  } else {
    f.api.plan_free(made);
  }
  return result;
}

namespace valid {
namespace {

using T = TensorSpec;

onc_conv_attrs& plain_conv(Descriptor& d) {
  auto& a = d.attrs<onc_conv_attrs>();
  a.spatial_rank = 2;
  a.groups = 2;
  for (int i = 0; i < 2; ++i) {
    a.stride[i] = 2;
    a.pad[i] = 1;
    a.dilation[i] = 1;
  }
  return a;
}

// A 3x2 window, stride 2, pad 1 and 0 over 7x6: 4x3.
onc_pool_attrs& plain_pool(Descriptor& d) {
  auto& a = d.attrs<onc_pool_attrs>();
  a.spatial_rank = 2;
  a.kernel[0] = 3;
  a.kernel[1] = 2;
  a.pad[0] = 1;
  for (int i = 0; i < 2; ++i) a.stride[i] = 2, a.dilation[i] = 1;
  return a;
}

const T kConvX(ONC_F32, {2, 4, 7, 5}), kConvW(ONC_F32, {6, 2, 3, 3}), kConvY(ONC_F32, {2, 6, 4, 3});
const T kPoolX(ONC_F32, {2, 3, 7, 6}), kPoolY(ONC_F32, {2, 3, 4, 3}), kPoolIndex(ONC_I64, {2, 3, 4, 3});
const T kScores(ONC_F32, {4, 3, 2}), kTarget(ONC_I64, {4, 2}), kRows(ONC_F32, {4, 2}), kClasses(ONC_F32, {3}), kScalar(ONC_F32, {});

}  // namespace

Descriptor expr() {
  Descriptor d(ONC_OP_EXPR);
  d.dims = {2, 3};
  d.in = {T(ONC_F32, {2, 3}), T(ONC_F32, {2, 3})};
  d.out = {T(ONC_F32, {2, 3})};
  d.n_scalars = 1;
  const uint16_t a = d.push(ONC_EX_INPUT, ONC_F32, 0), b = d.push(ONC_EX_INPUT, ONC_F32, 1), s = d.push(ONC_EX_SCALAR, ONC_F32, 0);
  d.outs = {d.push(ONC_EX_FMA, ONC_F32, s, b, a)};
  return d;
}

Descriptor expr_reduction() {
  Descriptor d(ONC_OP_EXPR);
  d.dims = {2, 3};
  d.reduce_rank = 1;
  d.in = {T(ONC_F32, {2, 3}), T(ONC_F32, {2, 3}, {1, 0})};
  d.out = {T(ONC_F32, {2})};
  const uint16_t a = d.push(ONC_EX_INPUT, ONC_F32, 0), m = d.push(ONC_EX_INPUT, ONC_F32, 1);
  const uint16_t centred = d.push(ONC_EX_SUB, ONC_F32, a, m);
  const uint16_t sum = d.push(ONC_EX_REDUCE_SUM, ONC_F32, centred);
  d.outs = {d.push(ONC_EX_MUL, ONC_F32, sum, m)};
  return d;
}

Descriptor foreach () {
  Descriptor d(ONC_OP_FOREACH);
  d.n_tensors = 2;
  d.in = {T(ONC_F32, {2, 3}), T(ONC_F32, {5}), T(ONC_F64, {6}), T(ONC_F64, {1})};
  d.out = {T(ONC_F32, {3, 2}), T(ONC_F32, {5})};
  d.n_scalars = 1;
  d.n_tensor_scalars = 1;
  const uint16_t p = d.push(ONC_EX_INPUT, ONC_F32, 0), g = d.push(ONC_EX_INPUT, ONC_F32, 1), lr = d.push(ONC_EX_SCALAR, ONC_F32, 0);
  const uint16_t scale = d.push(ONC_EX_TENSOR_SCALAR, ONC_F32, 0);
  const uint16_t step = d.push(ONC_EX_MUL, ONC_F32, lr, scale);
  d.outs = {d.push(ONC_EX_FMA, ONC_F32, step, g, p)};
  return d;
}

Descriptor matmul() {
  Descriptor d(ONC_OP_MATMUL);
  d.in = {T(ONC_F32, {4, 5}), T(ONC_F32, {5, 3}, {1, 5}), T(ONC_F32, {4, 3}, {0, 1})};
  d.out = {T(ONC_F32, {4, 3})};
  return d;
}

Descriptor conv() {
  Descriptor d(ONC_OP_CONV);
  plain_conv(d);
  d.in = {kConvX, kConvW, T(ONC_F32, {6})};
  d.out = {kConvY};
  return d;
}

Descriptor conv_grad_input() {
  Descriptor d(ONC_OP_CONV_GRAD_INPUT);
  plain_conv(d);
  d.in = {kConvY, kConvW};
  d.out = {kConvX};
  return d;
}

Descriptor conv_grad_weight() {
  Descriptor d(ONC_OP_CONV_GRAD_WEIGHT);
  plain_conv(d);
  d.in = {kConvY, kConvX};
  d.out = {kConvW};
  return d;
}

Descriptor max_pool() {
  Descriptor d(ONC_OP_MAX_POOL);
  plain_pool(d);
  d.in = {kPoolX};
  d.out = {kPoolY, kPoolIndex};
  return d;
}

Descriptor max_pool_grad() {
  Descriptor d(ONC_OP_MAX_POOL_GRAD);
  plain_pool(d);
  d.in = {kPoolY, kPoolIndex};
  d.out = {kPoolX};
  return d;
}

Descriptor avg_pool() {
  Descriptor d(ONC_OP_AVG_POOL);
  plain_pool(d);
  d.in = {kPoolX};
  d.out = {kPoolY};
  return d;
}

Descriptor avg_pool_grad() {
  Descriptor d(ONC_OP_AVG_POOL_GRAD);
  plain_pool(d);
  d.in = {kPoolY};
  d.out = {kPoolX};
  return d;
}

Descriptor batch_norm() {
  Descriptor d(ONC_OP_BATCH_NORM);
  d.in = {kScores, kClasses, kClasses, kClasses, kClasses};
  d.out = {kScores, kClasses, kClasses, kClasses, kClasses};
  return d;
}

Descriptor batch_norm_grad() {
  Descriptor d(ONC_OP_BATCH_NORM_GRAD);
  d.attrs<onc_batch_norm_grad_attrs>().training = 1;
  d.in = {kScores, kScores, kClasses, kClasses, kClasses};
  d.out = {kScores, kClasses, kClasses};
  return d;
}

Descriptor softmax() {
  Descriptor d(ONC_OP_SOFTMAX);
  d.attrs<onc_softmax_attrs>().axis = 1;
  d.in = {kScores};
  d.out = {kScores};
  return d;
}

Descriptor softmax_grad() {
  Descriptor d(ONC_OP_SOFTMAX_GRAD);
  d.attrs<onc_softmax_attrs>().axis = 1;
  d.in = {kScores, kScores};
  d.out = {kScores};
  return d;
}

Descriptor nll_loss() {
  Descriptor d(ONC_OP_NLL_LOSS);
  d.attrs<onc_loss_attrs>().reduction = ONC_REDUCTION_MEAN;
  d.in = {kScores, kTarget, kClasses};
  d.out = {kScalar, kScalar};
  return d;
}

Descriptor nll_loss_grad() {
  Descriptor d(ONC_OP_NLL_LOSS_GRAD);
  d.attrs<onc_loss_attrs>().reduction = ONC_REDUCTION_MEAN;
  d.in = {kScalar, kTarget, std::nullopt, kScalar};
  d.out = {kScores};
  return d;
}

Descriptor cross_entropy() {
  Descriptor d(ONC_OP_CROSS_ENTROPY);
  d.attrs<onc_loss_attrs>().reduction = ONC_REDUCTION_NONE;
  d.in = {kScores, kTarget, kClasses};
  d.out = {kRows, kScalar, kRows};
  return d;
}

Descriptor cross_entropy_grad() {
  Descriptor d(ONC_OP_CROSS_ENTROPY_GRAD);
  d.attrs<onc_loss_attrs>().reduction = ONC_REDUCTION_NONE;
  d.in = {kRows, kScores, kTarget, kClasses, kScalar, kRows};
  d.out = {kScores};
  return d;
}

}  // namespace valid
