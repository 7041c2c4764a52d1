// Registers rows: as functions of C++ where one of the usual signatures fits, else as boxed kernels. Either keeps the arguments
// until the op ran, so that a decline can hand them to the CPU.
#include "torch/rows.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "torch/complex.hpp"
#include "torch/fallback.hpp"

namespace oncilla::adapter {
namespace {

enum class Kind { kTensor, kNumber, kArgument, kOut };
enum class Variant { kFunctional, kInPlace, kOut };

const at::Tensor kNone;

// The arguments of a call by what the row makes of them. Tensors are pointed to: a second reference to one that Python has would
// take the interpreter's lock.
struct Arguments {
  c10::SmallVector<const at::Tensor*, 4> operands;
  c10::SmallVector<at::Tensor, 4> numbers;  // operands that are no tensors; as many as an op has at most, so that none moves
  c10::SmallVector<c10::IValue, 4> others;
  const at::Tensor* out = &kNone;

  void add(Kind kind, const at::Tensor& tensor) {
    if (kind == Kind::kOut) {
      out = &tensor;
    } else {
      operands.push_back(&tensor);
    }
  }
  void add(Kind kind, const at::Scalar& value) {
    if (kind == Kind::kNumber) {
      operands.push_back(&numbers.emplace_back(wrapped_number(value)));
    } else {
      others.emplace_back(value);
    }
  }
  void add(Kind kind, const c10::IValue& value) {
    if (kind == Kind::kArgument) {
      others.push_back(value);
    } else if (value.isNone()) {
      operands.push_back(&kNone);
    } else if (kind == Kind::kNumber) {
      add(kind, value.toScalar());
    } else {
      add(kind, value.toTensor());
    }
  }
};

// A row as one of its overloads.
class Call {
 public:
  Call(const Row& row, const c10::OperatorHandle& op, Variant variant)
      : row_(row), op_(op), variant_(variant), complex_(complex_row(row.op)) {
    const auto& arguments = op.schema().arguments();
    for (size_t i = 0; i < arguments.size(); ++i) {
      const std::string type = arguments[i].type()->str();
      const bool last = i + 1 == arguments.size();
      kinds_.push_back(variant == Variant::kOut && last           ? Kind::kOut
                       : type.find("Tensor") != std::string::npos ? Kind::kTensor
                       : i < row.number_operands                  ? Kind::kNumber
                                                                  : Kind::kArgument);
    }
    TORCH_INTERNAL_ASSERT(std::count(kinds_.begin(), kinds_.end(), Kind::kNumber) <= 4);
  }

  const c10::OperatorHandle& op() const { return op_; }
  const std::vector<Kind>& kinds() const { return kinds_; }

  at::Tensor run(const Arguments& arguments) const {
    const auto& operands = arguments.operands;
    const at::Tensor& out = variant_ == Variant::kInPlace ? *operands[0] : *arguments.out;
    const bool complex = complex_ != nullptr && std::any_of(operands.begin(), operands.end(),
                                                            [](const at::Tensor* t) { return t->defined() && t->is_complex(); });
    if (complex) {
      std::vector<at::Tensor> tensors;
      for (const at::Tensor* operand : operands) tensors.push_back(*operand);
      return complex_pointwise(*complex_, out, tensors, arguments.others);
    }
    Rule rule = row_.rule;
    // div with a rounding mode keeps integers; without one it is true division.
    if (rule == Rule::kDivision) rule = arguments.others[0].isNone() ? Rule::kBinaryFloat : Rule::kBinary;
    return pointwise(rule, out, operands, arguments.others, row_.fn);
  }

 private:
  const Row& row_;
  c10::OperatorHandle op_;
  Variant variant_;
  const ComplexRow* complex_;  // NULL where complex operands are not served
  std::vector<Kind> kinds_;
};

struct Boxed final : c10::OperatorKernel {
  explicit Boxed(std::shared_ptr<const Call> call) : call(std::move(call)) {}

  void operator()(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
    const size_t count = call->kinds().size();
    at::Tensor result;
    try {
      const auto given = torch::jit::last(*stack, count);
      Arguments arguments;
      for (size_t i = 0; i < count; ++i) arguments.add(call->kinds()[i], given[i]);
      result = call->run(arguments);
    } catch (const Declined& declined) {
      run_on_cpu(op, stack, declined.what());
      return;
    }
    torch::jit::drop(*stack, count);
    stack->emplace_back(std::move(result));
  }

  std::shared_ptr<const Call> call;
};

// As PyTorch declares it: First is the tensor that is written where an overload works in place.
template <class First, class... Rest>
torch::CppFunction function(std::shared_ptr<const Call> call) {
  constexpr bool in_place = std::is_same_v<First, at::Tensor&>;
  using Result = std::conditional_t<in_place, at::Tensor&, at::Tensor>;
  return torch::CppFunction([call = std::move(call)](First self, Rest... rest) -> Result {
    try {
      Arguments arguments;
      size_t i = 0;
      arguments.add(call->kinds()[i++], self);
      (arguments.add(call->kinds()[i++], rest), ...);
      at::Tensor result = call->run(arguments);
      if constexpr (!in_place) return result;
    } catch (const Declined& declined) {
      torch::jit::Stack stack = {self, rest...};
      run_on_cpu(call->op(), &stack, declined.what());
      if constexpr (!in_place) return stack.back().toTensor();
    }
    if constexpr (in_place) return self;
  });
}

template <class... Rest>
torch::CppFunction function_of(std::shared_ptr<const Call> call, Variant variant) {
  return variant == Variant::kInPlace ? function<at::Tensor&, Rest...>(std::move(call))
                                      : function<const at::Tensor&, Rest...>(std::move(call));
}

torch::CppFunction make(std::shared_ptr<const Call> call, Variant variant) {
  using T = const at::Tensor&;
  using S = const at::Scalar&;
  std::string types;
  for (const auto& argument : call->op().schema().arguments()) types += argument.type()->str() + " ";
  if (variant != Variant::kOut) {
    if (types == "Tensor ") return function_of<>(std::move(call), variant);
    if (types == "Tensor Tensor ") return function_of<T>(std::move(call), variant);
    if (types == "Tensor Scalar ") return function_of<S>(std::move(call), variant);
    if (types == "Tensor Tensor Scalar ") return function_of<T, S>(std::move(call), variant);
    if (types == "Tensor Tensor Tensor ") return function_of<T, T>(std::move(call), variant);
    if (types == "Tensor Tensor Tensor Scalar ") return function_of<T, T, S>(std::move(call), variant);
  }
  return torch::CppFunction::makeFromBoxedFunctor(std::make_unique<Boxed>(std::move(call)));
}

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

void add(torch::Library& library, const Row& row, const c10::OperatorHandle& op, Variant variant) {
  const std::string full = c10::toString(op.schema().operator_name());
  library.impl(full.substr(6).c_str(), make(std::make_shared<const Call>(row, op, variant), variant));
}

std::map<std::string_view, const Row*>& registered() {
  static std::map<std::string_view, const Row*> all;
  return all;
}

}  // namespace

const Row* row_named(std::string_view op) {
  const auto found = registered().find(op);
  return found == registered().end() ? nullptr : found->second;
}

void register_rows(torch::Library& library, std::span<const Row> rows) {
  auto& dispatcher = c10::Dispatcher::singleton();
  for (const Row& row : rows) {
    registered()[row.op] = &row;
    const std::string text = std::string("aten::") + row.op;
    const size_t dot = text.find('.');
    const std::string base = text.substr(0, dot), overload = dot == std::string::npos ? "" : text.substr(dot + 1);
    const auto functional = dispatcher.findSchema({base, overload});
    TORCH_CHECK(functional.has_value(), "[ocl] PyTorch has no op ", text);
    const auto& schema = functional->schema();
    const size_t count = schema.arguments().size();
    add(library, row, *functional, Variant::kFunctional);
    if (const auto in_place = dispatcher.findSchema({base + "_", overload})) {
      if (in_place->schema().arguments().size() == count && same_arguments(schema, in_place->schema(), count))
        add(library, row, *in_place, Variant::kInPlace);
    }
    for (const auto& name : overloads().at(base)) {
      const auto other = dispatcher.findSchema({base, name});
      if (!other || other->schema().arguments().size() != count + 1 || !other->schema().arguments().back().is_out()) continue;
      if (same_arguments(schema, other->schema(), count)) add(library, row, *other, Variant::kOut);
    }
  }
}

}  // namespace oncilla::adapter
