// Max pools whose windows differ from output to output: adaptive and fractional. kernels/lib/maximum.h is the kernels' side.
#pragma once

#include <memory>

#include "kit/backend.hpp"
#include "runtime/device.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_box_pool_plan(Device& device, kit::OpDesc desc);

}  // namespace oncilla::ocl
