// The gradient of a cross-correlation by its weight: kernels/conv_grad_weight.cl.
#include "ops/conv_plan.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_conv_grad_weight(Device& device, kit::OpDesc desc) {
  const auto make = [](Device& on, const ConvGeometry& geometry, bool tile, const Tuning& row) {
    return tile ? make_tile_conv_grad_weight(on, geometry, row) : make_direct_conv_grad_weight(on, geometry);
  };
  return make_conv_plan(device, std::move(desc), {.x = 1, .w = -1, .y = 0}, make);
}

}  // namespace oncilla::ocl
