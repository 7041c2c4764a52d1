// Checks of places in memory at the border: inside the buffer, aligned, not overlapping. Used by backend.cpp only.
#pragma once

#include "kit/backend.hpp"
#include "kit/border.hpp"

namespace oncilla::kit {

// `bytes` from `at` on lie inside its buffer.
void check_range(SlotName slot, const char* what, onc_arg at, uint64_t bytes);

// A copy inside one buffer: the ranges are the same or disjoint.
void check_d2d(SlotName slot, onc_arg dst, onc_arg src, uint64_t bytes);

void check_fill(SlotName slot, onc_arg dst, uint64_t bytes, uint32_t pattern_bytes);

// Everything of a run against its plan: counts, presence, bounds, alignment, workspace, outputs over other arguments.
void check_run(const onc_plan& plan, const onc_run& run);

}  // namespace oncilla::kit
