#include "torch/fuse.hpp"

#include <ATen/ExpandUtils.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>

#include <array>
#include <string_view>

namespace oncilla::adapter {
namespace {

Value as_condition(Value v) { return v.dtype == ONC_BOOL ? v : ne(v, v.tape->constant_int(v.dtype, 0)); }
Value converted(Value v, uint32_t dtype) { return v.dtype == dtype ? v : v.tape->cast(v, dtype); }

// Ops that are pointwise, but no rows of the eager tables.
Value choose(Ctx& c) { return where(as_condition(c.raw(0)), c.x(1), c.x(2)); }
Value clamp(Ctx& c) {
  Value v = c.x(0);
  if (c.given(0)) v = maximum(v, c.s(size_t{0}));
  return c.given(1) ? minimum(v, c.s(1)) : v;
}
const Row kFurther[] = {{"where.self", Rule::kBinary, 0, choose}, {"clamp", Rule::kUnary, 0, clamp}};

const Row* find(const std::string& op) {
  const std::string_view name = std::string_view(op).substr(op.starts_with("aten::") ? 6 : 0);
  for (const Row& row : kFurther) {
    if (name == row.op) return &row;
  }
  return row_named(name);
}

// Narrow integers would have to wrap after every step.
void need_fusible(const char* op, c10::ScalarType type) {
  const bool known = type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16 || type == at::kInt ||
                     type == at::kLong || type == at::kBool;
  TORCH_CHECK_NOT_IMPLEMENTED(known, "[fuse] ", op, " in ", type, ": steps compute in floating dtypes, int32, int64 and bool");
}

// As an input of this shape has it, so that channels-last stays what it is; else contiguous.
at::Tensor make_output(at::IntArrayRef shape, c10::ScalarType dtype, const std::vector<at::Tensor>& inputs) {
  const auto options = inputs[0].options().dtype(dtype);
  for (const at::Tensor& t : inputs) {
    if (t.sizes() == shape && t.is_non_overlapping_and_dense()) return at::empty_strided(shape, t.strides(), options);
  }
  return at::empty(shape, options);
}

}  // namespace

bool Fused::has(const std::string& op) { return find(op) != nullptr; }

void Fused::check(int64_t ref) const {
  TORCH_CHECK_VALUE(ref >= 0 && static_cast<size_t>(ref) < values_, "[fuse] value ", ref, " of ", values_);
}

void Fused::step(const std::string& op, c10::ScalarType common, std::vector<c10::IValue> args, const std::vector<int64_t>& refs) {
  Step made;
  made.row = find(op);
  TORCH_CHECK_NOT_IMPLEMENTED(made.row != nullptr, "[fuse] ", op, " is not pointwise, or has no kernel that can be fused");
  need_fusible(made.row->op, common);
  made.common = common;
  const size_t dot = op.find('.');
  const auto schema =
      c10::Dispatcher::singleton().findSchema({op.substr(0, dot), dot == std::string::npos ? "" : op.substr(dot + 1)});
  TORCH_CHECK(schema.has_value(), "[fuse] PyTorch has no op ", op);
  const auto& arguments = schema->schema().arguments();
  TORCH_CHECK_VALUE(args.size() == arguments.size() && refs.size() == args.size(), "[fuse] ", op, " has ", arguments.size(),
                    " arguments, not ", args.size());
  for (size_t i = 0; i < args.size(); ++i) {
    const bool tensor = arguments[i].type()->str().find("Tensor") != std::string::npos;
    if (!tensor && i >= made.row->number_operands) {
      TORCH_CHECK_VALUE(refs[i] < 0, "[fuse] ", op, ": argument ", i, " cannot be a tensor");
      made.others.push_back(std::move(args[i]));
      continue;
    }
    Operand operand;
    if (refs[i] >= 0) {
      check(refs[i]);
      operand.ref = refs[i];
    } else if (!args[i].isNone()) {
      operand.number = args[i].toScalar();
    }
    made.operands.push_back(operand);
  }
  steps_.push_back(std::move(made));
  ++values_;
}

void Fused::cast(int64_t ref, c10::ScalarType to) {
  check(ref);
  need_fusible("a cast", to);
  Step made;
  made.common = to;
  made.operands.push_back({ref, std::nullopt});
  steps_.push_back(std::move(made));
  ++values_;
}

void Fused::output(int64_t ref, c10::ScalarType dtype) {
  check(ref);
  outputs_.push_back({ref, dtype});
}

Value Fused::apply(const Step& step, Ctx& whole, const std::vector<Value>& values) const {
  if (step.row == nullptr) {
    const Value v = values[static_cast<size_t>(step.operands[0].ref)];
    return step.common == at::kBool ? as_condition(v) : converted(v, tape_dtype(step.common));
  }
  Ctx ctx(whole.tape, step.common, tape_dtype(step.common), step.others, whole.scalars());
  for (const Operand& operand : step.operands) {
    if (operand.ref >= 0) {
      const Value v = values[static_cast<size_t>(operand.ref)];
      ctx.add_operand(v, converted(v, ctx.dtype));
    } else if (operand.number) {
      const Value v = ctx.s(*operand.number);
      ctx.add_operand(v, v, operand.number);
    } else {
      ctx.add_operand(Value(), Value());
    }
  }
  return step.row->fn(ctx);
}

std::vector<at::Tensor> Fused::run(const std::vector<at::Tensor>& inputs) const {
  TORCH_CHECK_VALUE(inputs.size() == inputs_ && inputs_ > 0, "[fuse] ", inputs_, " inputs are wanted, not ", inputs.size());
  std::vector<int64_t> shape = inputs[0].sizes().vec();
  for (const at::Tensor& t : inputs) {
    TORCH_CHECK(t.device() == inputs[0].device(), "Expected all tensors to be on the same device, but found at least two devices, ",
                inputs[0].device(), " and ", t.device(), "!");
    shape = at::infer_size(shape, t.sizes());
  }
  std::vector<at::Tensor> outs;
  at::TensorIteratorConfig config;
  config.check_all_same_dtype(false).resize_outputs(false).set_check_mem_overlap(true);
  for (const Output& output : outputs_) config.add_output(outs.emplace_back(make_output(shape, output.dtype, inputs)));
  for (const at::Tensor& t : inputs) config.add_const_input(t);
  at::TensorIterator iter = config.build();
  pointwise(iter, inputs[0].scalar_type(), {}, [&](Ctx& c) {
    std::vector<Value> values;
    for (size_t i = 0; i < inputs_; ++i) values.push_back(c.raw(i));
    for (const Step& step : steps_) values.push_back(apply(step, c, values));
    for (const Output& output : outputs_) c.out(values[static_cast<size_t>(output.ref)]);
    return Value();
  });
  return outs;
}

}  // namespace oncilla::adapter
