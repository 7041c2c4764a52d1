// Negative log likelihood of classes: kernels/nll_loss.cl.
#include "ops/loss.hpp"
#include "ops/ops.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_nll_loss(Device& device, kit::OpDesc desc) { return make_loss_plan(device, std::move(desc)); }

}  // namespace oncilla::ocl
