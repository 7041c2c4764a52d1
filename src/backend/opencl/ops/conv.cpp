// Cross-correlation: kernels/conv.cl.
#include "ops/conv_plan.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_conv(Device& device, kit::OpDesc desc) {
  const auto make = [](Device& on, const ConvGeometry& geometry, bool tile, const Tuning& row) {
    return tile ? make_tile_conv(on, geometry, row) : make_direct_conv(on, geometry);
  };
  return make_conv_plan(device, std::move(desc), {.x = 0, .w = 1, .y = -1, .bias = 2}, make);
}

}  // namespace oncilla::ocl
