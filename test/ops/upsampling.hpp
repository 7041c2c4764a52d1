// The geometries of resampling.
#pragma once

#include "ops/cases.hpp"

namespace oncilla::test {

struct UpsampleShape {
  uint32_t mode;  // ONC_INTERPOLATE_*
  Dims x, size;   // size: of the spatial dims of y
  bool align_corners = false, antialias = false;
  std::vector<double> scale;  // factors of output over input, as a user gives them
  Layout layout = Layout::contiguous;

  Dims y() const;
  std::string name() const;
};

const std::vector<UpsampleShape>& upsample_shapes();
Case upsample_case(uint32_t dtype, const UpsampleShape& shape, const Fill& fill = {}, const char* what = "");

}  // namespace oncilla::test
