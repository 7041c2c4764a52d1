#include "ops/rows.hpp"

#include <algorithm>

namespace oncilla::ocl {
namespace {

constexpr int64_t kShort = 32;  // below this a work-group a row is a waste
constexpr int64_t kElementsPerItem = 8192;

}  // namespace

RowTensor without_axis(const kit::Tensor& tensor, uint32_t axis) {
  RowTensor row{tensor.strides, false};
  row.strides.insert(row.strides.begin() + axis, 0);
  return row;
}

RowTensor one_element(size_t rank) { return {kit::Dims(rank, 0), false}; }

Rows view_rows(const kit::Dims& dims, uint32_t axis, const std::vector<RowTensor>& tensors) {
  Rows rows;
  rows.contiguous = true;
  for (const RowTensor& tensor : tensors) {
    kit::Dims strides = tensor.strides;
    const int64_t along = dims.empty() ? 1 : strides[axis];
    if (!dims.empty()) strides.erase(strides.begin() + axis);
    rows.axis_strides.push_back(along);
    rows.contiguous &= !tensor.has_axis || along == 1 || dims[axis] == 1;
    rows.space.strides.push_back(std::move(strides));
  }
  rows.space.dims = dims;
  rows.length = dims.empty() ? 1 : dims[axis];
  if (!dims.empty()) rows.space.dims.erase(rows.space.dims.begin() + axis);
  rows.space.merge();
  rows.rows = rows.space.numel();
  rows.columns = !rows.space.dims.empty() && rows.space.dims.back() > 1;
  for (size_t t = 0; rows.columns && t < tensors.size(); ++t)
    rows.columns = !tensors[t].has_axis || rows.space.strides[t].back() == 1;
  rows.shape_class = !rows.contiguous ? "strided" : rows.length < kShort ? "short" : "long";
  return rows;
}

void to_columns(Rows& rows) {
  const Space::Dim inner = rows.space.pop();
  rows.inner = inner.size;
  rows.inner_strides = inner.strides;
  rows.rows = rows.space.numel() * ceil_div(rows.inner, kLanes);
}

int64_t rows_per_item(const Device& device, const Rows& rows, int64_t max_items) {
  const int64_t elements = std::max<int64_t>(1, rows.rows * rows.length * (rows.inner > 1 ? kLanes : 1));
  const int64_t busy = std::max<int64_t>(1, 16 * device.compute_units());
  const int64_t items = std::clamp<int64_t>(ceil_div(elements, kElementsPerItem), 1, std::min(max_items, busy));
  return ceil_div(std::max<int64_t>(1, rows.rows), items);
}

}  // namespace oncilla::ocl
