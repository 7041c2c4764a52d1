// Resampling: tables of terms for kernels/taps.cl.
#include "ops/ops.hpp"
#include "ops/resample_taps.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_upsample(Device& device, kit::OpDesc desc) {
  const kit::Tensor& x = desc.input(0);
  const Taps taps = resample_taps(desc, desc.attributes<onc_upsample_attrs>(), x.dtype, x.dims, desc.output(0).dims);
  return make_taps_plan(device, std::move(desc), taps);
}

}  // namespace oncilla::ocl
