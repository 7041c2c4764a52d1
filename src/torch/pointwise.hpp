// Pointwise ops as tapes over PyTorch's TensorIterator, which broadcasts, promotes, allocates or checks outputs, and refuses
// overlap as for every other device. Inputs of other dtypes are converted inside the tape; 0-dim CPU tensors and numbers are
// run-time scalars.
#pragma once

#include <ATen/TensorIterator.h>
#include <ATen/core/ivalue.h>
#include <c10/util/FunctionRef.h>

#include <utility>

#include "core/tape.hpp"
#include "torch/tensor.hpp"

namespace oncilla::adapter {

// How dtypes of operands and result come about; the names of TensorIterator's own builders.
enum class Rule {
  kBinary,       // promote; the result has the common dtype
  kBinaryFloat,  // the same, integers become the default floating dtype
  kCompare,      // promote; the result is bool
  kUnary,        // one operand; an out of another dtype is refused
  kUnaryFloat,   // integers become floating
  kUnaryBool,    // the result is bool
  kDivision      // kBinaryFloat, or kBinary if the first argument after the operands is given
};

// Run-time scalars of a tape in the order in which it asked for them.
class Scalars {
 public:
  Value next(Tape& tape, uint32_t dtype, const c10::Scalar& value);
  void bind(Op& op) const;
  at::ArrayRef<onc_scalar> values() const { return values_; }
  void add_double(double value);
  void add_int(int64_t value);

 private:
  c10::SmallVector<onc_scalar, 8> values_;
};

// What a row's lambda sees: operands and the arguments after them.
class Ctx {
 public:
  Tape& tape;
  c10::ScalarType common;  // of the operands, after promotion
  uint32_t dtype;          // in which the tape computes: that of common; F32 for half types, I32 for bool and small integers

  Value x(size_t i) const { return operands_[i]; }  // operand i in dtype
  Value raw(size_t i) const { return raw_[i]; }     // in the dtype in which it is stored
  bool has(size_t i) const { return operands_[i].tape != nullptr; }
  size_t n() const { return operands_.size(); }
  const std::optional<c10::Scalar>& number(size_t i) const { return numbers_[i]; }  // an operand that is a number
  Value s(size_t k);  // argument k after the operands, as a run-time scalar of dtype
  Value s(const c10::Scalar& value) { return scalars_.next(tape, dtype, value); }
  Value c(double value) const;  // a constant of dtype
  bool given(size_t k) const { return !args_[k].isNone(); }
  const c10::IValue& arg(size_t k) const { return args_[k]; }
  c10::Scalar scalar(size_t k) const { return args_[k].toScalar(); }
  bool floating() const { return dtype == ONC_F32 || dtype == ONC_F64; }
  // A second number of outputs: emit them in order and return {}.
  void out(Value value) { tape.output(value); }

  Ctx(Tape& tape, c10::ScalarType common, uint32_t dtype, at::ArrayRef<c10::IValue> args, Scalars& scalars)
      : tape(tape), common(common), dtype(dtype), args_(args), scalars_(scalars) {}
  Scalars& scalars() { return scalars_; }
  void add_operand(Value raw, Value converted, std::optional<c10::Scalar> number = std::nullopt) {
    raw_.push_back(raw);
    numbers_.push_back(number);
    operands_.push_back(converted);
  }

 private:
  at::ArrayRef<c10::IValue> args_;
  Scalars& scalars_;
  c10::SmallVector<Value, 4> raw_, operands_;
  c10::SmallVector<std::optional<c10::Scalar>, 4> numbers_;
};

using Fn = c10::function_ref<Value(Ctx&)>;

// The dtype in which a tape over `common` computes; Declined for complex and the like.
uint32_t tape_dtype(c10::ScalarType common);

// out may be undefined (then it is made). Undefined operands are absent ones. args: what Ctx::s and Ctx::arg reach.
at::Tensor pointwise(Rule rule, const at::Tensor& out, at::ArrayRef<at::Tensor> operands, at::ArrayRef<c10::IValue> args, Fn fn);
// The same without a second reference to any operand: counting one takes the interpreter's lock where Python has the tensor.
at::Tensor pointwise(Rule rule, const at::Tensor& out, at::ArrayRef<const at::Tensor*> operands, at::ArrayRef<c10::IValue> args,
                     Fn fn);
// The same on an iterator built by the caller, computing in `common`. draw: key and offset for Tape::philox.
void pointwise(at::TensorIteratorBase& iter, c10::ScalarType common, at::ArrayRef<c10::IValue> args, Fn fn,
               std::optional<std::pair<uint64_t, uint64_t>> draw = std::nullopt);

// A number as a 0-dim CPU tensor that takes part in type promotion as a Python number does.
at::Tensor wrapped_number(const c10::Scalar& value);

}  // namespace oncilla::adapter
