// The gradient of padding, gathered: kernels/pad_grad.cl.
#include "ops/ops.hpp"
#include "ops/padding.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_pad_grad(Device& device, kit::OpDesc desc) { return make_padding_plan(device, std::move(desc)); }

}  // namespace oncilla::ocl
