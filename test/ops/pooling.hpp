// The geometries of the poolings.
#pragma once

#include "ops/cases.hpp"

namespace oncilla::test {

struct PoolShape {
  int64_t n, c, h, w;
  int64_t kernel[2], stride[2], pad[2], dilation[2];
  bool ceil = false;
  Layout layout = Layout::contiguous;

  Dims x() const { return {n, c, h, w}; }
  Dims y() const { return {n, c, size(h, 0), size(w, 1)}; }
  std::string name() const;

 private:
  // Ceil mode: a last, partial window counts if it begins inside the input or the left padding.
  int64_t size(int64_t in, int d) const {
    const int64_t room = in + 2 * pad[d] - dilation[d] * (kernel[d] - 1) - 1;
    int64_t out = (room + (ceil ? stride[d] - 1 : 0)) / stride[d] + 1;
    if (ceil && (out - 1) * stride[d] >= in + pad[d]) --out;
    return out;
  }
};

const std::vector<PoolShape>& pool_shapes();
onc_pool_attrs pool_attrs(const PoolShape& shape);
Case max_pool_case(uint32_t dtype, const PoolShape& shape, const Fill& fill, bool index, const char* what = "");
Case avg_pool_case(uint32_t dtype, const PoolShape& shape, bool count_include_pad, int64_t divisor);

}  // namespace oncilla::test
