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
  const std::optional<c10::Scalar>& given(size_t i) const { return numbers_[i]; }  // an operand that is a number
  void add(Pair pair, std::optional<c10::Scalar> number = std::nullopt) {
    x_.push_back(pair);
    numbers_.push_back(std::move(number));
  }

 private:
  at::ArrayRef<c10::IValue> args_;
  c10::SmallVector<Pair, 4> x_;
  c10::SmallVector<std::optional<c10::Scalar>, 4> numbers_;
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
