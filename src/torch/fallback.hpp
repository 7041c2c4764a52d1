// The way out for what the device does not do: the op runs on the CPU, with one warning an op and a count, or raises.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <cstdint>
#include <map>
#include <string>

namespace oncilla::adapter {

enum class FallbackMode { kWarn, kError, kSilent };

// Runs the op on the CPU with the arguments on the stack. `reason` says why, "" where no kernel exists.
void run_on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack, const std::string& reason);
// The same as a boxed kernel.
void fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack);

std::map<std::string, uint64_t> fallback_counts();
void reset_fallback_counts();
void set_fallback_mode(FallbackMode mode);
FallbackMode fallback_mode();
// Counts, warns or raises for an op that a kernel hands to the CPU itself.
void note_fallback(const std::string& name, const std::string& reason);

}  // namespace oncilla::adapter
