// What the three convolution ops share: geometry, facts of the plan, and the run of the provider that was chosen.
#pragma once

#include <memory>

#include "conv/conv.hpp"
#include "ops/ops.hpp"

namespace oncilla::ocl {

// Which tensor of the descriptor plays which part: inputs from 0, the output is -1; bias -2 means none.
struct ConvRoles {
  int x, w, y, bias = -2;
};

std::unique_ptr<onc_plan> make_conv_plan(Device& device, kit::OpDesc desc, Direction direction, ConvRoles roles);

}  // namespace oncilla::ocl
