// The gradient of max pooling, from the positions of the maxima: kernels/max_pool_grad.cl.
#include "ops/ops.hpp"
#include "ops/pool.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_max_pool_grad(Device& device, kit::OpDesc desc) {
  return make_pool_plan(device, std::move(desc), {.forward = false, .average = false});
}

}  // namespace oncilla::ocl
