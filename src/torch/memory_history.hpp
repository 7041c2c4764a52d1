// What torch.ocl.memory records of the allocator: the last actions, with the stacks that led to them.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>

namespace oncilla::adapter {

// Starts to record the last `entries` actions of every device, anew; 0 ends it. stacks: with Python's frames.
void record_memory_history(size_t entries, bool stacks);
// Gathers the stack for the allocation or free that this thread does next, while no lock of the allocator is held.
void note_stack();
// The state of all open devices and the recorded actions, in the format of torch.cuda.memory._snapshot().
pybind11::dict memory_snapshot();

}  // namespace oncilla::adapter
