// Several pointwise ops of PyTorch as one EXPR: what torch.ocl.fuse is made of. The rows are those of the eager ops.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <optional>
#include <string>
#include <vector>

#include "torch/rows.hpp"

namespace oncilla::adapter {

// A program of pointwise ops. Values are numbered: inputs first, then the results of the steps. Built once, run often, by several
// threads if need be. Values of half types are rounded where they are stored, not between the steps.
class Fused {
 public:
  explicit Fused(size_t inputs) : inputs_(inputs), values_(inputs) {}

  // Calls an overload ("aten::add.Tensor"), `common` being the dtype in which it computes. args are those of its schema; where
  // refs[i] is not negative, argument i is the value of this number instead. c10::Error if there is no row of this name, or if
  // arguments or dtype are not what fused steps can have.
  void step(const std::string& op, c10::ScalarType common, std::vector<c10::IValue> args, const std::vector<int64_t>& refs);
  // Another dtype of a value.
  void cast(int64_t ref, c10::ScalarType to);
  void output(int64_t ref, c10::ScalarType dtype);

  // Inputs broadcast; outputs are new, laid out as the first input that has their shape.
  std::vector<at::Tensor> run(const std::vector<at::Tensor>& inputs) const;

  static bool has(const std::string& op);  // whether a step can be this overload

 private:
  struct Operand {
    int64_t ref = -1;                   // a value, or
    std::optional<c10::Scalar> number;  // a number; neither: absent
  };
  struct Step {
    const Row* row = nullptr;  // NULL: a cast
    c10::ScalarType common = c10::ScalarType::Undefined;
    std::vector<Operand> operands;
    std::vector<c10::IValue> others;
  };
  struct Output {
    int64_t ref;
    c10::ScalarType dtype;
  };
  void check(int64_t ref) const;
  Value apply(const Step& step, Ctx& whole, const std::vector<Value>& values) const;

  size_t inputs_, values_;
  std::vector<Step> steps_;
  std::vector<Output> outputs_;
};

}  // namespace oncilla::adapter
