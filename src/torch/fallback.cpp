// The CPU fallback. What it adds to PyTorch's: the device check that CUDA's kernels have (otherwise mixed arguments are accepted
// and the answer may be on either device), CPU generators in place of ours, one warning an op, counts, and the mode that raises.
#include "torch/fallback.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/native/CPUFallback.h>
#include <c10/util/env.h>
#include <torch/library.h>

#include <mutex>
#include <optional>
#include <set>
#include <string_view>

#include "torch/device.hpp"
#include "torch/generator.hpp"

namespace oncilla::adapter {
namespace {

struct State {
  std::mutex mutex;
  std::map<std::string, uint64_t> counts;
  std::set<std::string> warned;
  FallbackMode mode;
};

State& state() {
  static auto* s = [] {
    auto* made = new State;
    const auto text = c10::utils::get_env("ONCILLA_FALLBACK").value_or("warn");
    TORCH_CHECK(text == "warn" || text == "error" || text == "silent", "[ocl] ONCILLA_FALLBACK is warn, error or silent, not ",
                text);
    made->mode = text == "error" ? FallbackMode::kError : text == "silent" ? FallbackMode::kSilent : FallbackMode::kWarn;
    return made;
  }();
  return *s;
}

// Ops whose index arguments may lie on the CPU while the data is on a device, and copies, which cross on purpose.
bool mixes_devices(std::string_view name) {
  static const std::set<std::string_view> names = {
      "aten::index",         "aten::index_put_",        "aten::index_put", "aten::_index_put_impl_",
      "aten::_unsafe_index", "aten::_unsafe_index_put", "aten::copy_",     "aten::set_"};
  return names.count(name) != 0;
}

void check_devices(const c10::OperatorHandle& op, const torch::jit::Stack& stack) {
  std::optional<c10::Device> common;
  const auto& schema = op.schema();
  const size_t count = schema.arguments().size();
  auto visit = [&](const at::Tensor& tensor, const std::string& argument) {
    if (!tensor.defined()) return;
    const bool scalar = tensor.dim() == 0 && tensor.is_cpu();
    if (scalar && !(tensor.scalar_type() == c10::kLong && argument == "index")) return;
    if (!common) {
      common = tensor.device();
    } else {
      TORCH_CHECK(tensor.device() == *common, "Expected all tensors to be on the same device, but got ", argument, " is on ",
                  tensor.device(), ", different from other tensors on ", *common, " (when checking argument in method wrapper_ocl_",
                  schema.operator_name().name.substr(6), ")");
    }
  };
  if (mixes_devices(schema.name())) return;
  for (size_t i = 0; i < count; ++i) {
    const auto& value = stack[stack.size() - count + i];
    const auto& name = schema.arguments()[i].name();
    if (value.isTensor()) {
      visit(value.toTensor(), name);
    } else if (value.isTensorList()) {
      for (const at::Tensor& tensor : value.toTensorVector()) visit(tensor, name);
    } else if (value.isList() && value.toListRef().size() > 0) {  // Tensor?[]
      for (const auto& item : value.toListRef()) {
        if (item.isTensor()) visit(item.toTensor(), name);
      }
    }
  }
}

// CPU kernels refuse our generators: give them one of their own, seeded by the next draw of ours.
void replace_generators(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto& arguments = op.schema().arguments();
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].type()->str().find("Generator") == std::string::npos) continue;
    auto& value = (*stack)[stack->size() - arguments.size() + i];
    std::optional<at::Generator> given;
    if (value.isGenerator()) given = value.toGenerator();
    if (given && given->device().type() == c10::kCPU) continue;
    const auto [key, offset] = next_draw(given, given ? given->device().index() : -1);
    value = at::detail::createCPUGenerator(key * 0x9E3779B97F4A7C15ULL + offset);
  }
}

}  // namespace

void note_fallback(const std::string& name, const std::string& reason) {
  bool warn = false;
  {
    auto& s = state();
    std::lock_guard lock(s.mutex);
    TORCH_CHECK_NOT_IMPLEMENTED(s.mode != FallbackMode::kError, "[fallback] ", name, " has no ocl kernel",
                                reason.empty() ? "" : " for this: ", reason, " (ONCILLA_FALLBACK=error)");
    ++s.counts[name];
    warn = s.mode == FallbackMode::kWarn && s.warned.insert(name).second;
  }
  if (warn) {
    TORCH_WARN("[fallback] ", name, " runs on the CPU", reason.empty() ? "" : ": ", reason,
               ". torch.ocl.fallbacks() counts; ONCILLA_FALLBACK=error raises instead.");
  }
}

void run_on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack, const std::string& reason) {
  check_devices(op, *stack);
  note_fallback(c10::toString(op.operator_name()), reason);
  replace_generators(op, stack);
  at::native::cpu_fallback(op, stack);
}

void fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack) { run_on_cpu(op, stack, ""); }

std::map<std::string, uint64_t> fallback_counts() {
  std::lock_guard lock(state().mutex);
  return state().counts;
}
void reset_fallback_counts() {
  std::lock_guard lock(state().mutex);
  state().counts.clear();
}
void set_fallback_mode(FallbackMode mode) {
  std::lock_guard lock(state().mutex);
  state().mode = mode;
}
FallbackMode fallback_mode() {
  std::lock_guard lock(state().mutex);
  return state().mode;
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&fallback>()); }

}  // namespace oncilla::adapter
