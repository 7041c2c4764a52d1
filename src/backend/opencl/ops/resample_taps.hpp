// The tables of UPSAMPLE (ops/taps.hpp).
#pragma once

#include "ops/taps.hpp"

namespace oncilla::ocl {

// Along the spatial dims of x to those of y; dtype decides in which precision source positions are computed.
Taps resample_taps(const kit::OpDesc& desc, const onc_upsample_attrs& attrs, uint32_t dtype, const kit::Dims& x,
                   const kit::Dims& y);

}  // namespace oncilla::ocl
