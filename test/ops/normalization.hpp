// Shapes of batch normalisation.
#pragma once

#include "ops/cases.hpp"

namespace oncilla::test {

struct NormShape {
  Dims dims;
  Layout layout;
  // A channel so long that its sums must be exact: inputs are 1 and -1 in equal number, eps is 3, so that invstd is 0.5.
  bool exact() const {
    int64_t elements = dims[0];
    for (size_t d = 2; d < dims.size(); ++d) elements *= dims[d];
    return elements > 1000;
  }
};

inline const NormShape kNormShapes[] = {
    {{2, 1}, Layout::contiguous},          {{5, 3}, Layout::contiguous},          {{64, 7}, Layout::contiguous},
    {{2, 3, 5}, Layout::contiguous},       {{2, 3, 5, 7}, Layout::contiguous},    {{2, 3, 5, 7}, Layout::channels_last},
    {{2, 3, 5, 7}, Layout::strided},       {{2, 3, 5, 7}, Layout::padded},        {{2, 3, 5, 7}, Layout::reversed},
    {{1, 4, 3, 3}, Layout::contiguous},    {{3, 33, 13, 11}, Layout::contiguous}, {{2, 2, 3, 4, 5}, Layout::contiguous},
    {{16, 5, 24, 24}, Layout::contiguous}, {{300, 2}, Layout::contiguous},        {{1, 1, 70, 70}, Layout::contiguous},
};

// running, affine: whether the optional tensors are there.
Case batch_norm_case(uint32_t dtype, const NormShape& shape, bool affine, bool running);

}  // namespace oncilla::test
