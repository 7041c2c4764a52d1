// Softmax and its gradient differ only in their tensors: one plan serves both.
#pragma once

#include <memory>

#include "kit/backend.hpp"
#include "runtime/device.hpp"

namespace oncilla::ocl {

// `flops_per_element` and the kernel's name are the op's; the tensors are the descriptor's inputs and its one output, all of one
// shape.
std::unique_ptr<onc_plan> make_softmax_plan(Device& device, kit::OpDesc desc, uint64_t flops_per_element);

}  // namespace oncilla::ocl
