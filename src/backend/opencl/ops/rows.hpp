// Ops that reduce over one axis (softmax, cross-entropy) see their tensors as rows: the axis is a row's length, all other dims
// count the rows. This file turns descriptors into that view, chooses the variant by it, and gives the launch. The kernels' side is
// described in kernels/softmax.cl.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/variants.hpp"

namespace oncilla::ocl {

// One tensor of the op. Strides in the order of the op's dims; has_axis is false where the tensor lacks the axis (targets), and
// then the entry at the axis is 0.
struct RowTensor {
  kit::Dims strides;
  bool has_axis = true;
};

// The strides of a tensor that lacks `axis`, and of one that has a single element for all rows (or is absent).
RowTensor without_axis(const kit::Tensor& tensor, uint32_t axis);
RowTensor one_element(size_t rank);

struct Rows {
  Space space;                               // the rows, merged; COLUMN: without the innermost dim
  int64_t rows = 0;                          // work: rows, or for COLUMN blocks of 16 rows
  int64_t length = 0;                        // of the axis
  int64_t inner = 1;                         // COLUMN: how many neighbours the innermost dim has
  std::vector<int64_t> axis_strides;         // of each tensor; 0 where it lacks the axis
  std::vector<int64_t> inner_strides;        // COLUMN: of each tensor, from neighbour to neighbour
  bool contiguous = false, columns = false;  // can run VECTOR; can run COLUMN
  const char* shape_class = "";              // "short" or "long" where the axis is contiguous, else "strided"
};

Rows view_rows(const kit::Dims& dims, uint32_t axis, const std::vector<RowTensor>& tensors);

// Turns the view into blocks of 16 neighbouring rows.
void to_columns(Rows& rows);

// How many rows a work-item of the CPU-minded variants takes: enough that a work-item touches a few thousand elements, few enough
// that `max_items` or the device's compute units (several times over) have work.
int64_t rows_per_item(const Device& device, const Rows& rows, int64_t max_items);

}  // namespace oncilla::ocl
