#include "ops/grid.hpp"

#include <algorithm>

namespace oncilla::ocl {

GridGeometry::GridGeometry(const kit::OpDesc& desc, const kit::Tensor& x, const kit::Tensor& y, bool wide) {
  const auto attrs = desc.attributes<onc_grid_sample_attrs>();
  std::fill_n(size.begin(), 6, 1);
  for (size_t i = 2; i < x.rank(); ++i) {
    size[i + 3 - x.rank()] = small(desc, x.dims[i]);
    size[i + 6 - x.rank()] = small(desc, y.dims[i]);
  }
  channels = small(desc, x.dims[1]);
  border = static_cast<int32_t>(attrs.border);
  align = static_cast<int32_t>(attrs.align_corners);
  planes = x.dims[0] * x.dims[1];
  places = y.dims[0];
  for (size_t i = 2; i < y.rank(); ++i) places *= y.dims[i];
  set_storage(defines, x.dtype);
  set_index(defines, wide);
  defines.set("MODE", attrs.mode).set("RANK", x.rank() - 2);
}

SpaceStrides image_strides(const kit::Tensor& image) {
  SpaceStrides strides{};
  std::copy_n(image.strides.begin(), 2, strides.begin());
  std::copy(image.strides.begin() + 2, image.strides.end(), strides.begin() + 7 - image.rank());
  return strides;
}

SpaceStrides grid_strides(const kit::Tensor& grid) {
  SpaceStrides strides{};
  strides[0] = grid.strides[0];
  std::copy(grid.strides.begin() + 1, grid.strides.end(), strides.begin() + 6 - grid.rank());
  return strides;
}

}  // namespace oncilla::ocl
