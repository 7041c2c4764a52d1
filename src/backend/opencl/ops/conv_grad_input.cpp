// The gradient of a cross-correlation by its input: kernels/conv_grad_input.cl.
#include "ops/conv_plan.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_conv_grad_input(Device& device, kit::OpDesc desc) {
  return make_conv_plan(device, std::move(desc), Direction::input, {.x = -1, .w = 1, .y = 0});
}

}  // namespace oncilla::ocl
