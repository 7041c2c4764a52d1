#include "ops/slices.hpp"

#include <algorithm>

namespace oncilla::ocl {
namespace {

constexpr int64_t kElementsPerItem = 8192;

}  // namespace

Slices::Slices(const kit::Dims& dims, const std::vector<bool>& of_slice, const std::vector<kit::Dims>& strides) {
  slices_.strides.resize(strides.size());
  lines_.strides.resize(strides.size());
  for (size_t d = 0; d < dims.size(); ++d) {
    Space& space = of_slice[d] ? slices_ : lines_;
    space.dims.push_back(dims[d]);
    for (size_t t = 0; t < strides.size(); ++t) space.strides[t].push_back(strides[t][d]);
  }
  slices_.merge();
  lines_.merge();
  inner_ = lines_.pop();
  neighbours_.strides.assign(strides.size(), 0);
}

void Slices::add_strides(Kernel::Arguments& arguments, size_t tensor) const {
  arguments.add(slice_strides(tensor)).add(space_strides(lines_, tensor)).add(inner_.strides[tensor]);
}

int64_t slices_per_item(const Device& device, int64_t slices, int64_t elements) {
  const int64_t all = std::max<int64_t>(1, slices * elements), busy = std::max<int64_t>(1, 16 * device.compute_units());
  return ceil_div(std::max<int64_t>(1, slices), std::clamp<int64_t>(ceil_div(all, kElementsPerItem), 1, busy));
}

}  // namespace oncilla::ocl
