// Padding by a constant, by reflection, by the border or around: kernels/pad.cl.
#include "ops/ops.hpp"
#include "ops/padding.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_pad(Device& device, kit::OpDesc desc) { return make_padding_plan(device, std::move(desc)); }

}  // namespace oncilla::ocl
