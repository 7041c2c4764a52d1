// Average pooling in one to three dims: kernels/avg_pool.cl.
#include "ops/ops.hpp"
#include "ops/pool.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_avg_pool(Device& device, kit::OpDesc desc) {
  return make_pool_plan(device, std::move(desc), {.forward = true, .average = true});
}

}  // namespace oncilla::ocl
