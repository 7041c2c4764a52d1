// The gradient of a cross-correlation by its weight: kernels/conv_grad_weight.cl.
#include "ops/conv_plan.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_conv_grad_weight(Device& device, kit::OpDesc desc) {
  return make_conv_plan(device, std::move(desc), Direction::weight, {.x = 1, .w = -1, .y = 0});
}

}  // namespace oncilla::ocl
