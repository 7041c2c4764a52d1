// The gradient of softmax and log-softmax from the forward's output: kernels/softmax_grad.cl.
#include "ops/ops.hpp"
#include "ops/softmax_plan.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_softmax_grad(Device& device, kit::OpDesc desc) {
  return make_softmax_plan(device, std::move(desc), 4);
}

}  // namespace oncilla::ocl
