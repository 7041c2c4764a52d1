// The geometries of the convolution and its two gradients.
#pragma once

#include "ops/cases.hpp"

namespace oncilla::test {

struct ConvShape {
  int64_t n, c, h, w, k, r, s;
  int64_t stride[2], pad[2], dilation[2];
  uint32_t groups = 1;
  Layout layout = Layout::contiguous;

  Dims x() const { return {n, c, h, w}; }
  Dims weight() const { return {k, c / groups, r, s}; }
  Dims y() const {
    return {n, k, (h + 2 * pad[0] - dilation[0] * (r - 1) - 1) / stride[0] + 1,
            (w + 2 * pad[1] - dilation[1] * (s - 1) - 1) / stride[1] + 1};
  }
  std::string name() const;
};

const std::vector<ConvShape>& conv_shapes();

// The forward; the gradients take its geometry. Wide sums (C*R*S or N*P*Q beyond a few dozen) draw small integers, so that they are
// exact in float32.
Case conv_case(uint32_t dtype, const ConvShape& shape, bool bias, bool integers);

// Whether the sums of the geometry are so long that only exact inputs make PyTorch's tolerance meaningful.
inline bool long_sums(const ConvShape& shape) {
  const Dims y = shape.y();
  return shape.c / shape.groups * shape.r * shape.s > 40 || shape.k / shape.groups * shape.r * shape.s > 40 ||
         shape.n * y[2] * y[3] > 40;
}

}  // namespace oncilla::test
