// From a TensorIterator to an EXPR op.
#include "torch/pointwise.hpp"

#include <ATen/ScalarOps.h>

#include <algorithm>

namespace oncilla::adapter {

void Scalars::add_double(double value) {
  onc_scalar s;
  s.f = value;
  values_.push_back(s);
}
void Scalars::add_int(int64_t value) {
  onc_scalar s;
  s.i = value;
  values_.push_back(s);
}

Value Scalars::next(Tape& tape, uint32_t dtype, const c10::Scalar& value) {
  if (value.isComplex()) throw Declined("a complex number");
  if (dtype == ONC_F32 || dtype == ONC_F64) {
    add_double(value.toDouble());
  } else if (dtype == ONC_BOOL) {
    add_int(value.isFloatingPoint() ? value.toDouble() != 0 : value.to<bool>());
  } else if (value.isFloatingPoint()) {
    add_int(static_cast<int64_t>(value.toDouble()));
  } else {
    add_int(value.to<int64_t>());
  }
  return tape.scalar(dtype);
}

void Scalars::bind(Op& op) const {
  for (const onc_scalar& value : values_) op.scalar(value);
}

Value Ctx::s(size_t k) { return s(args_[k].isBool() ? c10::Scalar(static_cast<int64_t>(args_[k].toBool())) : args_[k].toScalar()); }

Value Ctx::c(double value) const {
  return floating() ? tape.constant(dtype, value) : tape.constant_int(dtype, static_cast<int64_t>(value));
}

uint32_t tape_dtype(c10::ScalarType common) {
  const uint32_t dtype = need_dtype(common);
  return dtype == ONC_BOOL ? uint32_t{ONC_I32} : compute_dtype(dtype);
}

at::Tensor wrapped_number(const c10::Scalar& value) {
  at::Tensor tensor = c10::scalar_to_tensor(value);
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

at::Tensor pointwise(Rule rule, const at::Tensor& out, at::ArrayRef<at::Tensor> operands, at::ArrayRef<c10::IValue> args, Fn fn) {
  c10::SmallVector<const at::Tensor*, 8> pointers;
  for (const at::Tensor& operand : operands) pointers.push_back(&operand);
  return pointwise(rule, out, pointers, args, fn);
}

at::Tensor pointwise(Rule rule, const at::Tensor& out, at::ArrayRef<const at::Tensor*> operands, at::ArrayRef<c10::IValue> args,
                     Fn fn) {
  for (const at::Tensor* operand : operands) {
    if (operand->defined()) need_dtype(operand->scalar_type());
  }
  at::TensorIteratorConfig config;
  config.set_check_mem_overlap(true).allow_cpu_scalars(true).add_output(out);
  for (const at::Tensor* operand : operands) {
    if (operand->defined()) config.add_const_input(*operand);
  }
  const bool boolean = rule == Rule::kCompare || rule == Rule::kUnaryBool;
  if (rule == Rule::kUnary) {
    config.check_all_same_dtype(true);
  } else {
    config.promote_inputs_to_common_dtype(true);
    if (!boolean) config.cast_common_dtype_to_outputs(true).enforce_safe_casting_to_output(true);
    if (rule == Rule::kBinaryFloat || rule == Rule::kUnaryFloat) config.promote_integer_inputs_to_float(true);
    if (boolean && !out.defined()) config.declare_static_dtype(at::kBool);
  }
  at::TensorIterator iter = config.build();
  // Without promotion the iterator knows no common dtype: it is the operand's.
  const c10::ScalarType common = rule == Rule::kUnary ? operands[0]->scalar_type() : iter.common_dtype();
  if (iter.numel() > 0) {
    // The row sees every operand at its place, absent ones too.
    if (std::all_of(operands.begin(), operands.end(), [](const at::Tensor* t) { return t->defined(); })) {
      pointwise(iter, common, args, fn);
    } else {
      pointwise(iter, common, args, [&](Ctx& ctx) {
        Ctx sparse(ctx.tape, ctx.common, ctx.dtype, args, ctx.scalars());
        size_t next = 0;
        for (const at::Tensor* operand : operands) {
          const bool given = operand->defined();
          sparse.add_operand(given ? ctx.raw(next) : Value(), given ? ctx.x(next) : Value(),
                             given ? ctx.number(next) : std::nullopt);
          next += given;
        }
        return fn(sparse);
      });
    }
  }
  return iter.output();
}

void pointwise(at::TensorIteratorBase& iter, c10::ScalarType common, at::ArrayRef<c10::IValue> args, Fn fn,
               std::optional<std::pair<uint64_t, uint64_t>> draw) {
  if (iter.numel() == 0) return;
  const size_t rank = static_cast<size_t>(iter.ndim());
  const int operands = iter.ntensors();
  c10::SmallVector<int64_t, 48> numbers((1 + static_cast<size_t>(operands)) * rank);
  for (size_t d = 0; d < rank; ++d) numbers[d] = iter.shape()[rank - 1 - d];
  const std::span<const int64_t> dims(numbers.data(), rank);

  Tape tape;
  Scalars scalars;
  Op op(ONC_OP_EXPR);
  auto reference = [&](int arg) {
    int64_t* strides = numbers.data() + (1 + static_cast<size_t>(arg)) * rank;
    const int64_t size = iter.element_size(arg);
    for (size_t d = 0; d < rank; ++d) strides[d] = iter.strides(arg)[rank - 1 - d] / size;
    return TensorRef{place(iter.data_ptr(arg)), need_dtype(iter.dtype(arg)), dims, {strides, rank}};
  };
  Ctx ctx(tape, common, tape_dtype(common), args, scalars);
  for (int arg = iter.noutputs(); arg < operands; ++arg) {
    if (iter.is_cpu_scalar(arg)) {
      const at::Tensor& number = iter.tensor(arg);
      // A number becomes one of the common dtype first, as PyTorch has it: -1 beside uint8 is 255.
      const bool whole = at::isIntegralType(common, false) && at::isIntegralType(number.scalar_type(), true);
      const c10::Scalar item = (whole ? number.to(common) : number).item();
      const Value value = ctx.s(item);
      ctx.add_operand(value, value, item);
      continue;
    }
    const TensorRef ref = reference(arg);
    op.in(ref);
    const Value raw = tape.input(ref.dtype);
    ctx.add_operand(raw, raw.dtype == ctx.dtype ? raw : tape.cast(raw, ctx.dtype));
  }
  const Value result = fn(ctx);
  if (result.tape != nullptr) tape.output(result);
  for (int arg = 0; arg < iter.noutputs(); ++arg) op.out(reference(arg));
  op.tape(tape, dims);
  scalars.bind(op);
  if (draw) op.scalar_int(static_cast<int64_t>(draw->first)).scalar_int(static_cast<int64_t>(draw->second));
  run(op, iter.device(0).index());
}

}  // namespace oncilla::adapter
