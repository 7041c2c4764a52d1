// Cross-correlation: kernels/conv.cl.
#include "ops/conv_plan.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_conv(Device& device, kit::OpDesc desc) {
  return make_conv_plan(device, std::move(desc), Direction::forward, {.x = 0, .w = 1, .y = -1, .bias = 2});
}

}  // namespace oncilla::ocl
