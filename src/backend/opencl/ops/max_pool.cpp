// Max pooling in one to three dims, with the position of each maximum: kernels/max_pool.cl.
#include "ops/ops.hpp"
#include "ops/pool.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_max_pool(Device& device, kit::OpDesc desc) {
  return make_pool_plan(device, std::move(desc), {.forward = true, .average = false});
}

}  // namespace oncilla::ocl
