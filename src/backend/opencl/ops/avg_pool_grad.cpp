// The gradient of average pooling, gathered by transposed tables (kernels/taps.cl).
#include <algorithm>

#include "ops/ops.hpp"
#include "ops/taps.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_avg_pool_grad(Device& device, kit::OpDesc desc) {
  const kit::Dims &y = desc.input(0).dims, &x = desc.output(0).dims;
  const auto attrs = desc.attributes<onc_pool_attrs>();
  Taps taps{one_tap(), one_tap(), one_tap()};
  for (size_t d = 0; d < attrs.spatial_rank; ++d) {
    support_terms(desc, std::max(x[2 + d], y[2 + d]));  // so that the next product does not overflow
    support_terms(desc, std::min(attrs.kernel[d], x[2 + d]) * y[2 + d]);
    // The override replaces the whole product: one dim carries it.
    const double divisor = attrs.divisor_override == 0 ? 0 : d == 0 ? static_cast<double>(attrs.divisor_override) : 1;
    const PoolAxis window{attrs.kernel[d], attrs.stride[d], attrs.pad[d], attrs.count_include_pad != 0, divisor};
    taps[3 - attrs.spatial_rank + d] = average_taps(x[2 + d], y[2 + d], window).transposed(x[2 + d]);
  }
  return make_taps_plan(device, std::move(desc), taps);
}

}  // namespace oncilla::ocl
