// Adaptive max pooling, with the position of each maximum: kernels/adaptive_max_pool.cl.
#include "ops/box_pool.hpp"
#include "ops/ops.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_adaptive_max_pool(Device& device, kit::OpDesc desc) {
  return make_box_pool_plan(device, std::move(desc));
}

}  // namespace oncilla::ocl
