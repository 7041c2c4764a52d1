// Registers rows as boxed kernels: arguments stay on the stack until the op ran, so that a decline can hand them to the CPU.
#include "torch/rows.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "torch/complex.hpp"
#include "torch/fallback.hpp"

namespace oncilla::adapter {
namespace {

enum class Kind { kTensor, kNumber, kArgument, kOut };
enum class Variant { kFunctional, kInPlace, kOut };

struct RowKernel final : c10::OperatorKernel {
  RowKernel(const Row& row, const c10::FunctionSchema& schema, Variant variant)
      : row_(row), variant_(variant), complex_(complex_row(row.op)) {
    const auto& arguments = schema.arguments();
    for (size_t i = 0; i < arguments.size(); ++i) {
      const std::string type = arguments[i].type()->str();
      const bool last = i + 1 == arguments.size();
      kinds_.push_back(variant == Variant::kOut && last           ? Kind::kOut
                       : type.find("Tensor") != std::string::npos ? Kind::kTensor
                       : i < row.number_operands                  ? Kind::kNumber
                                                                  : Kind::kArgument);
    }
  }

  void operator()(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
    const size_t count = kinds_.size();
    const auto given = torch::jit::last(*stack, count);
    c10::SmallVector<at::Tensor, 4> operands;
    c10::SmallVector<c10::IValue, 4> args;
    at::Tensor out;
    for (size_t i = 0; i < count; ++i) {
      const c10::IValue& value = given[i];
      switch (kinds_[i]) {
        case Kind::kOut:
          out = value.toTensor();
          break;
        case Kind::kTensor:
          operands.push_back(value.isNone() ? at::Tensor() : value.toTensor());
          break;
        case Kind::kNumber:
          operands.push_back(value.isNone() ? at::Tensor() : wrapped_number(value.toScalar()));
          break;
        case Kind::kArgument:
          args.push_back(value);
          break;
      }
    }
    if (variant_ == Variant::kInPlace) out = operands[0];
    Rule rule = row_.rule;
    // div with a rounding mode keeps integers; without one it is true division.
    if (rule == Rule::kDivision) rule = args[0].isNone() ? Rule::kBinaryFloat : Rule::kBinary;
    at::Tensor result;
    try {
      const bool complex =
          std::any_of(operands.begin(), operands.end(), [](const at::Tensor& t) { return t.defined() && t.is_complex(); });
      result = complex && complex_ != nullptr ? complex_pointwise(*complex_, out, operands, args)
                                              : pointwise(rule, out, operands, args, row_.fn);
    } catch (const Declined& declined) {
      run_on_cpu(op, stack, declined.what());
      return;
    }
    torch::jit::drop(*stack, count);
    stack->emplace_back(std::move(result));
  }

 private:
  const Row& row_;
  Variant variant_;
  const ComplexRow* complex_;  // NULL where complex operands are not served
  std::vector<Kind> kinds_;
};

bool same_arguments(const c10::FunctionSchema& a, const c10::FunctionSchema& b, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (*a.arguments()[i].type() != *b.arguments()[i].type()) return false;
  }
  return true;
}

const std::map<std::string, std::vector<std::string>>& overloads() {
  static const auto all = [] {
    std::map<std::string, std::vector<std::string>> made;
    for (const auto& name : c10::Dispatcher::singleton().getAllOpNames()) made[name.name].push_back(name.overload_name);
    return made;
  }();
  return all;
}

void add(torch::Library& library, const Row& row, const c10::FunctionSchema& schema, Variant variant) {
  const std::string full = c10::toString(schema.operator_name());
  library.impl(full.substr(6).c_str(), torch::CppFunction::makeFromBoxedFunctor(std::make_unique<RowKernel>(row, schema, variant)));
}

}  // namespace

void register_rows(torch::Library& library, std::span<const Row> rows) {
  auto& dispatcher = c10::Dispatcher::singleton();
  for (const Row& row : rows) {
    const std::string text = std::string("aten::") + row.op;
    const size_t dot = text.find('.');
    const std::string base = text.substr(0, dot), overload = dot == std::string::npos ? "" : text.substr(dot + 1);
    const auto functional = dispatcher.findSchema({base, overload});
    TORCH_CHECK(functional.has_value(), "[ocl] PyTorch has no op ", text);
    const auto& schema = functional->schema();
    const size_t count = schema.arguments().size();
    add(library, row, schema, Variant::kFunctional);
    if (const auto in_place = dispatcher.findSchema({base + "_", overload})) {
      if (in_place->schema().arguments().size() == count && same_arguments(schema, in_place->schema(), count))
        add(library, row, in_place->schema(), Variant::kInPlace);
    }
    for (const auto& name : overloads().at(base)) {
      const auto other = dispatcher.findSchema({base, name});
      if (!other || other->schema().arguments().size() != count + 1 || !other->schema().arguments().back().is_out()) continue;
      if (same_arguments(schema, other->schema(), count)) add(library, row, other->schema(), Variant::kOut);
    }
  }
}

}  // namespace oncilla::adapter
