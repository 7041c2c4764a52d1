// Log-softmax over the classes and negative log likelihood in one: kernels/cross_entropy.cl.
#include "ops/loss.hpp"
#include "ops/ops.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_cross_entropy(Device& device, kit::OpDesc desc) { return make_loss_plan(device, std::move(desc)); }

}  // namespace oncilla::ocl
