// The gradients of layer normalisation: kernels/normalize_grad.cl.
#include "ops/normalize.hpp"
#include "ops/ops.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_layer_norm_grad(Device& device, kit::OpDesc desc) {
  return make_normalize_grad_plan(device, std::move(desc), layer_normalization);
}

}  // namespace oncilla::ocl
