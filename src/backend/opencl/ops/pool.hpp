// Max pooling, its gradient and average pooling share geometry, variants and launch; they differ in their tensors.
// kernels/lib/pool.h is the kernels' side. (The gradient of average pooling is one of ops/taps.hpp.)
#pragma once

#include <memory>

#include "kit/backend.hpp"
#include "runtime/device.hpp"

namespace oncilla::ocl {

struct PoolOp {
  bool forward;  // the input's gradient otherwise
  bool average;
};

// Variants: "rows" and "direct" forward, "plane" and "gather" backward.
std::unique_ptr<onc_plan> make_pool_plan(Device& device, kit::OpDesc desc, PoolOp op);

}  // namespace oncilla::ocl
