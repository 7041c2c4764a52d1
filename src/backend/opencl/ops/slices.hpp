// Layer and group normalisation and statistics see their tensors as slices: what has a mean of its own. This file turns descriptors
// into that view, says what it allows, and gives its kernel arguments. kernels/lib/slice.h is the kernels' side.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/variants.hpp"

namespace oncilla::ocl {

// Over the same dims, some of which count the slices and the others the elements of a slice.
class Slices {
 public:
  Slices() = default;
  // strides: of each tensor along `dims`, 0 where it lacks one. of_slice[d]: dim d counts slices.
  Slices(const kit::Dims& dims, const std::vector<bool>& of_slice, const std::vector<kit::Dims>& strides);

  int64_t slices() const { return slices_.numel() * neighbours_.size; }
  int64_t lines() const { return lines_.numel(); }
  int64_t inner() const { return inner_.size; }
  int64_t elements() const { return lines() * inner(); }
  // The elements of a line are neighbours in memory.
  bool inner_is_one(size_t tensor) const { return inner_.size == 1 || inner_.strides[tensor] == 1; }
  bool inner_is_constant(size_t tensor) const { return inner_.size == 1 || inner_.strides[tensor] == 0; }
  // Neighbouring slices are neighbours in memory, or (constant) at one place.
  bool slices_are_one(size_t tensor) const { return slices_.dims.empty() || slices_.strides[tensor].back() == 1; }
  bool slices_are_constant(size_t tensor) const { return slices_.dims.empty() || slices_.strides[tensor].back() == 0; }
  bool slices_are_one_dim() const { return slices_.dims.size() <= 1; }

  // Takes the innermost dim of the slices apart: kernels that go by blocks of neighbours count the others.
  void split_neighbours() { neighbours_ = slices_.pop(); }
  const Space::Dim& neighbours() const { return neighbours_; }
  int64_t outer() const { return slices_.numel(); }

  SpaceDims slice_dims(const kit::OpDesc& desc) const { return space_dims(desc, slices_); }
  SpaceDims line_dims(const kit::OpDesc& desc) const { return space_dims(desc, lines_); }
  // A tensor's strides as the kernels take them: along slices; then along lines; then along inner.
  SpaceStrides slice_strides(size_t tensor) const { return space_strides(slices_, tensor); }
  void add_strides(Kernel::Arguments& arguments, size_t tensor) const;

 private:
  Space slices_, lines_;
  Space::Dim inner_{1, {}}, neighbours_{1, {}};
};

// How many slices a work-item of the CPU-minded variants takes, so that it touches a few thousand elements.
int64_t slices_per_item(const Device& device, int64_t slices, int64_t elements);

}  // namespace oncilla::ocl
