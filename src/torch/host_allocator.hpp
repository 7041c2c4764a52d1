// Host memory for pin_memory(): copies to and from it may go on after the call, so it is not given back before they are done.
#pragma once

#include <c10/core/Stream.h>

namespace oncilla::adapter {

bool is_pinned(const void* memory);
// Work of the stream reads or writes the pinned block that holds `memory`.
void use_pinned(const void* memory, const c10::Stream& stream);

}  // namespace oncilla::adapter
