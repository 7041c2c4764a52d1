// Registers an unboxed kernel so that a decline runs the same call on the CPU.
#pragma once

#include <ATen/native/CPUFallback.h>
#include <torch/library.h>

#include <string>

#include "torch/fallback.hpp"
#include "torch/tensor.hpp"

namespace oncilla::adapter {

// Why the call that is being handed over was declined (the boxed fallback has no argument for it).
inline thread_local std::string declined_reason;

inline void declined_fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const std::string reason = std::move(declined_reason);
  declined_reason.clear();
  run_on_cpu(op, stack, reason);
}

template <class AtOp, auto fn, class Schema>
struct Guarded;

template <class AtOp, auto fn, class Result, class... Args>
struct Guarded<AtOp, fn, Result(Args...)> {
  static Result call(Args... args) {
    try {
      return fn(args...);
    } catch (const Declined& declined) {
      declined_reason = declined.what();
    }
    return at::native::call_fallback_fn_symint<&declined_fallback, AtOp>::call(args...);
  }
};

// One op: kernel<at::_ops::mm_out, mm_out>(m). The function has the schema of PyTorch's own declaration.
template <class AtOp, auto fn>
void kernel(torch::Library& library) {
  std::string name = AtOp::name;
  name = name.substr(6);
  if (AtOp::overload_name[0] != '\0') name += std::string(".") + AtOp::overload_name;
  library.impl(name.c_str(), &Guarded<AtOp, fn, typename AtOp::schema>::call);
}

}  // namespace oncilla::adapter
