// Adaptive average pooling: tables of terms for kernels/taps.cl.
#include "ops/ops.hpp"
#include "ops/taps.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_adaptive_avg_pool(Device& device, kit::OpDesc desc) {
  const kit::Dims &x = desc.input(0).dims, &y = desc.output(0).dims;
  Taps taps{one_tap(), one_tap(), one_tap()};
  for (size_t d = 2; d < x.size(); ++d) {
    support_terms(desc, x[d] + 2 * y[d]);
    taps[d + 3 - x.size()] = adaptive_taps(x[d], y[d]);
  }
  return make_taps_plan(device, std::move(desc), taps);
}

}  // namespace oncilla::ocl
