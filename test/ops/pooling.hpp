// The geometries of the poolings.
#pragma once

#include "ops/cases.hpp"

namespace oncilla::test {

// Windows over the spatial dims of x [N, C, ...]: one to three, as many as `kernel` has entries.
struct PoolShape {
  Dims x, kernel, stride, pad, dilation;
  bool ceil = false;
  Layout layout = Layout::contiguous;

  Dims y() const;
  std::string name() const;
};

const std::vector<PoolShape>& pool_shapes();
onc_pool_attrs pool_attrs(const PoolShape& shape);
Case max_pool_case(uint32_t dtype, const PoolShape& shape, const Fill& fill, bool index, const char* what = "");
Case avg_pool_case(uint32_t dtype, const PoolShape& shape, bool count_include_pad, int64_t divisor);

// Output sizes that windows adapt to.
struct AdaptiveShape {
  Dims x, size;
  Layout layout = Layout::contiguous;

  Dims y() const;
  std::string name() const;
};
const std::vector<AdaptiveShape>& adaptive_shapes();
// The gradient of a max pool from its index, as a case of SCATTER along the flattened spatial dims.
Case scattered_gradient_case(const Case& forward);
Case adaptive_avg_pool_case(uint32_t dtype, const AdaptiveShape& shape);

}  // namespace oncilla::test
