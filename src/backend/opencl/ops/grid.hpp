// What GRID_SAMPLE and its gradient share: geometry and definitions for kernels/lib/grid.h.
#pragma once

#include <array>
#include <cstdint>

#include "ops/variants.hpp"

namespace oncilla::ocl {

struct GridGeometry {
  std::array<int32_t, 8> size{};  // depth, height, width of x, then of y
  int32_t channels = 1, border = 0, align = 0;
  int64_t planes = 0, places = 0;  // N*C; N times the outputs of a plane
  Defines defines;

  GridGeometry(const kit::OpDesc& desc, const kit::Tensor& x, const kit::Tensor& y, bool wide);
};

// Of [N, C, ...]: n, c, depth, height, width.
SpaceStrides image_strides(const kit::Tensor& image);
// Of [N, ..., coordinates]: n, depth, height, width, coordinate.
SpaceStrides grid_strides(const kit::Tensor& grid);

}  // namespace oncilla::ocl
