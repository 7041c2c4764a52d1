// What EXPR and the ops over lists share when they launch: how units of work spread over work-items, and run-time scalars as kernel
// arguments.
#pragma once

#include <cstdint>
#include <vector>

#include "expr/program.hpp"
#include "kit/backend.hpp"
#include "runtime/device.hpp"

namespace oncilla::ocl {

// Work-item g takes `per_item` units, from g * item_step on, unit_step apart; `items` work-items in all.
struct Spread {
  int64_t per_item = 0, item_step = 0, unit_step = 0, items = 0;
};

// most > 0: at most so many work-items, each with neighbouring units, so that it walks memory in order. Else one for each unit as
// far as a launch goes, interleaved, so that neighbours touch neighbours; `items` is then a multiple of local (work-items a group).
Spread spread_units(int64_t units, int64_t most, int64_t local);

// Declines float64 where the device has none, in a tensor or in a value of the tape.
void support_tape(const Device& device, const kit::OpDesc& desc);

// The scalars that a program reads, in the program's order.
void add_scalars(Kernel::Arguments& arguments, const std::vector<ScalarArgument>& scalars, const kit::RunArgs& run);

}  // namespace oncilla::ocl
