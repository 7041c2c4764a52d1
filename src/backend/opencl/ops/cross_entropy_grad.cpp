// The gradient of cross-entropy with respect to the logits: kernels/cross_entropy_grad.cl.
#include "ops/loss.hpp"
#include "ops/ops.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_cross_entropy_grad(Device& device, kit::OpDesc desc) {
  return make_loss_grad_plan(device, std::move(desc));
}

}  // namespace oncilla::ocl
