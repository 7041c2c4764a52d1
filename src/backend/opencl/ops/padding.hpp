// PAD and its gradient share geometry, variants and launch. kernels/lib/pad.h is the kernels' side.
#pragma once

#include <memory>

#include "kit/backend.hpp"
#include "runtime/device.hpp"

namespace oncilla::ocl {

// Variants: "rows" and "direct".
std::unique_ptr<onc_plan> make_padding_plan(Device& device, kit::OpDesc desc);

}  // namespace oncilla::ocl
