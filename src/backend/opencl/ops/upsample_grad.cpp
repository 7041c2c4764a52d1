// The gradient of resampling: each element of x gathers from the outputs that read it, by transposed tables (kernels/taps.cl).
#include "ops/ops.hpp"
#include "ops/resample_taps.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_upsample_grad(Device& device, kit::OpDesc desc) {
  const kit::Tensor& x = desc.output(0);
  const auto attrs = desc.attributes<onc_upsample_attrs>();
  Taps taps = resample_taps(desc, attrs, x.dtype, x.dims, desc.input(0).dims);
  for (size_t d = 0; d < attrs.spatial_rank; ++d) {
    AxisTaps& axis = taps[3 - attrs.spatial_rank + d];
    axis = axis.transposed(x.dims[2 + d]);
  }
  return make_taps_plan(device, std::move(desc), taps);
}

}  // namespace oncilla::ocl
