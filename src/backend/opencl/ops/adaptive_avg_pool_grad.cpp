// The gradient of adaptive average pooling, gathered by transposed tables (kernels/taps.cl).
#include "ops/ops.hpp"
#include "ops/taps.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_adaptive_avg_pool_grad(Device& device, kit::OpDesc desc) {
  const kit::Dims &y = desc.input(0).dims, &x = desc.output(0).dims;
  Taps taps{one_tap(), one_tap(), one_tap()};
  for (size_t d = 2; d < x.size(); ++d) {
    support_terms(desc, x[d] + 2 * y[d]);
    taps[d + 3 - x.size()] = adaptive_taps(x[d], y[d]).transposed(x[d]);
  }
  return make_taps_plan(device, std::move(desc), taps);
}

}  // namespace oncilla::ocl
