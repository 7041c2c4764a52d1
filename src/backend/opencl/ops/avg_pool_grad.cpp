// The gradient of average pooling: kernels/avg_pool_grad.cl.
#include "ops/ops.hpp"
#include "ops/pool.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_avg_pool_grad(Device& device, kit::OpDesc desc) {
  return make_pool_plan(device, std::move(desc), {.forward = false, .average = true});
}

}  // namespace oncilla::ocl
