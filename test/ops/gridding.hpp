// The geometries of GRID_SAMPLE.
#pragma once

#include "ops/cases.hpp"

namespace oncilla::test {

struct GridShape {
  uint32_t mode, border;  // ONC_INTERPOLATE_*, ONC_BORDER_*
  bool align_corners;
  Dims x, size;  // size: of the spatial dims of y
  Layout layout = Layout::contiguous;

  Dims y() const;
  Dims grid() const;
  std::string name() const;
};

// The dtypes and geometries that the forward and the backward run with: every mode in float32, some of them in the others.
std::vector<std::pair<uint32_t, GridShape>> grid_shapes();
// Coordinates from inside and outside; none where the derivative jumps.
Fill grid_fill();
Case grid_case(uint32_t dtype, const GridShape& shape, const Fill& grid, const char* what = "");

}  // namespace oncilla::test
