// Layer normalisation: kernels/normalize.cl.
#include "ops/normalize.hpp"
#include "ops/ops.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_layer_norm(Device& device, kit::OpDesc desc) {
  return make_normalize_plan(device, std::move(desc), layer_normalization);
}

}  // namespace oncilla::ocl
