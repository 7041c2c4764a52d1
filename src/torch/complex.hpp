// Pointwise ops on complex tensors: a tape over real and imaginary parts, which are strided real tensors.
#pragma once

#include <string_view>

#include "torch/pointwise.hpp"

namespace oncilla::adapter {

struct Pair {
  Value re, im;
};

// What a complex row's function sees: operands and the numbers after them, as pairs. The imaginary part of what is real is 0.
class Pairs {
 public:
  Pairs(Ctx& c, at::ArrayRef<c10::IValue> args) : c(c), args_(args) {}
  Ctx& c;
  Pair x(size_t i) const { return x_[i]; }
  Pair s(size_t k) { return number(args_[k].toScalar()); }
  Pair number(const c10::Scalar& value);
  void add(Pair pair) { x_.push_back(pair); }

 private:
  at::ArrayRef<c10::IValue> args_;
  c10::SmallVector<Pair, 4> x_;
};

struct ComplexRow {
  enum class Result { kComplex, kReal, kBool };
  const char* op;  // the name of a row of the real table
  Result result;   // kReal, kBool: in `re`
  Pair (*fn)(Pairs& p);
};

// NULL where complex operands are not served.
const ComplexRow* complex_row(std::string_view op);

// As pointwise() of a row, with at least one complex operand.
at::Tensor complex_pointwise(const ComplexRow& row, const at::Tensor& out, at::ArrayRef<at::Tensor> operands,
                             at::ArrayRef<c10::IValue> args);

}  // namespace oncilla::adapter
