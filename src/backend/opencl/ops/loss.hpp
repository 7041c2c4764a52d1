// The four class losses share their view of targets and rows. kernels/lib/loss.h is the kernels' side.
#pragma once

#include <memory>

#include "kit/backend.hpp"
#include "runtime/device.hpp"

namespace oncilla::ocl {

// NLL_LOSS and CROSS_ENTROPY: a kernel over the rows and, where more than one work-item or work-group sums them, one over the
// partial sums.
std::unique_ptr<onc_plan> make_loss_plan(Device& device, kit::OpDesc desc);

// NLL_LOSS_GRAD and CROSS_ENTROPY_GRAD.
std::unique_ptr<onc_plan> make_loss_grad_plan(Device& device, kit::OpDesc desc);

}  // namespace oncilla::ocl
