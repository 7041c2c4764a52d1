// Walking a dense tensor by rows along one of its dims.
#pragma once

#include <cstddef>

#include "plan.hpp"

namespace oncilla::reference {

struct Rows {
  int64_t length, inner;  // elements of a row; the distance from one to the next
  int64_t count;

  Rows(const kit::Dims& dims, size_t axis)
      : length(dims[axis]), inner(product(dims, axis + 1, dims.size())), count(product(dims, 0, axis) * inner) {}

  // The flat position of element j of a row.
  size_t position(int64_t row, int64_t j) const { return static_cast<size_t>((row / inner * length + j) * inner + row % inner); }
};

}  // namespace oncilla::reference
