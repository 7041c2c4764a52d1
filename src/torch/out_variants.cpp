// Boxed out= overloads. In-place overloads of PyTorch's structured ops come here too: it makes them of out=. Since results are
// computed apart, an output may be one of the inputs.
#include "torch/out_variants.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/native/Resize.h>
#include <torch/library.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace oncilla::adapter {
namespace {

void store(const at::Tensor& result, const at::Tensor& out) {
  TORCH_CHECK(out.device() == result.device(), "Expected all tensors to be on the same device, but found at least two devices, ",
              result.device(), " and ", out.device(), "!");
  TORCH_CHECK(at::canCast(result.scalar_type(), out.scalar_type()), "result type ", result.scalar_type(),
              " can't be cast to the desired output type ", out.scalar_type());
  at::native::resize_output(out, result.sizes());
  out.copy_(result);
}

struct OutKernel final : c10::OperatorKernel {
  OutKernel(c10::OperatorHandle functional, size_t outputs) : functional(functional), outputs(outputs) {}
  c10::OperatorHandle functional;
  size_t outputs;

  void operator()(const c10::OperatorHandle&, c10::DispatchKeySet, torch::jit::Stack* stack) {
    std::vector<c10::IValue> out = torch::jit::pop(*stack, outputs);
    functional.callBoxed(stack);
    const std::vector<c10::IValue> results = torch::jit::pop(*stack, outputs);
    for (size_t i = 0; i < outputs; ++i) store(results[i].toTensor(), out[i].toTensor());
    for (c10::IValue& tensor : out) stack->push_back(std::move(tensor));
  }
};

size_t outputs_of(const c10::FunctionSchema& schema) {
  size_t count = 0;
  for (const auto& argument : schema.arguments()) count += argument.is_out();
  return count;
}

// The overload of the same name with the same arguments but the outputs, which returns as many tensors.
std::optional<c10::OperatorHandle> functional_of(const c10::FunctionSchema& schema, const std::vector<std::string>& overloads) {
  const size_t outputs = outputs_of(schema), count = schema.arguments().size() - outputs;
  for (const std::string& overload : overloads) {
    const auto found = c10::Dispatcher::singleton().findSchema({schema.name(), overload});
    if (!found || found->schema().arguments().size() != count || found->schema().returns().size() != outputs) continue;
    bool same = true;
    for (size_t i = 0; i < count && same; ++i) {
      same = *found->schema().arguments()[i].type() == *schema.arguments()[i].type();
    }
    for (const auto& result : found->schema().returns()) same = same && result.type()->kind() == c10::TypeKind::TensorType;
    if (same) return found;
  }
  return std::nullopt;
}

}  // namespace

void register_out_variants() {
  using c10::DispatchKey;
  // Registrations end with their Library, and these are for as long as the process runs.
  static auto* library = new torch::Library(torch::Library::IMPL, "aten", DispatchKey::PrivateUse1, __FILE__, __LINE__);
  auto& dispatcher = c10::Dispatcher::singleton();
  const auto on_cpu = dispatcher.getAllOpNamesForDispatchKey(DispatchKey::CPU);
  std::map<std::string, std::vector<std::string>> overloads;
  for (const auto& name : on_cpu) overloads[name.name];
  for (const auto& name : dispatcher.getAllOpNames()) {
    if (const auto found = overloads.find(name.name); found != overloads.end()) found->second.push_back(name.overload_name);
  }
  for (const auto& name : on_cpu) {
    if (name.name.rfind("aten::", 0) != 0) continue;
    const auto op = dispatcher.findSchema(name);
    if (!op || op->hasKernelForDispatchKey(DispatchKey::PrivateUse1)) continue;
    bool composed = false;
    for (const DispatchKey key : {DispatchKey::CompositeImplicitAutograd, DispatchKey::CompositeExplicitAutograd,
                                  DispatchKey::CompositeExplicitAutogradNonFunctional})
      composed = composed || op->hasKernelForDispatchKey(key);
    const size_t outputs = outputs_of(op->schema());
    if (composed || outputs == 0) continue;
    const auto functional = functional_of(op->schema(), overloads.at(name.name));
    if (!functional || !functional->hasKernelForDispatchKey(DispatchKey::PrivateUse1)) continue;
    const std::string full = c10::toString(name);
    library->impl(full.substr(6).c_str(),
                  torch::CppFunction::makeFromBoxedFunctor(std::make_unique<OutKernel>(*functional, outputs)));
  }
}

}  // namespace oncilla::adapter
