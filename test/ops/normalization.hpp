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

// running, affine: whether the optional tensors are there; params: their dtype, 0: x's.
Case batch_norm_case(uint32_t dtype, const NormShape& shape, bool affine, bool running, uint32_t params = 0);

// What the backward reads again: float32 for halves.
inline uint32_t statistics_dtype(uint32_t dtype) { return dtype == ONC_F16 || dtype == ONC_BF16 ? uint32_t{ONC_F32} : dtype; }

struct LayerNormShape {
  Dims dims;
  uint32_t normalized_rank;
  Layout layout = Layout::contiguous;
};

inline const LayerNormShape kLayerNormShapes[] = {
    {{5, 7}, 1},
    {{1, 1}, 1},
    {{64, 10}, 1},
    {{5}, 1},
    {{3, 5, 16}, 1},
    {{3, 5, 16}, 2},
    {{2, 3, 4, 5}, 3},
    {{11, 13}, 1, Layout::padded},
    {{11, 13}, 1, Layout::strided},
    {{11, 13}, 1, Layout::reversed},
    {{2, 3, 5, 7}, 2, Layout::channels_last},
    {{2, 3, 5, 7}, 2, Layout::padded},
    {{0, 5}, 1},
    {{300, 3}, 1},
    {{257, 33}, 1},
    {{3, 1025}, 1},
    {{130, 517}, 1},
    {{2, 4, 1100}, 2},
};

// What layer and group normalisation vary in.
struct NormKind {
  bool weight, bias, rms = false;
  uint32_t params = 0;  // dtype of weight and bias; 0: x's
};

Case layer_norm_case(uint32_t dtype, const LayerNormShape& shape, const NormKind& kind);

struct GroupNormShape {
  Dims dims;
  uint32_t groups;
  Layout layout = Layout::contiguous;
};

inline const GroupNormShape kGroupNormShapes[] = {
    {{2, 4, 3, 5}, 2},
    {{2, 4, 3, 5}, 1},
    {{2, 4, 3, 5}, 4},
    {{1, 1, 1}, 1},
    {{5, 6}, 3},
    {{3, 6, 7}, 3, Layout::padded},
    {{2, 6, 3, 5}, 2, Layout::strided},
    {{2, 6, 3, 5}, 2, Layout::channels_last},
    {{2, 6, 5}, 3, Layout::reversed},
    {{2, 4, 2, 3, 5}, 2},
    {{0, 4, 3}, 2},
    {{33, 6, 11}, 2},
    {{2, 8, 13, 11}, 4},
    {{1, 2, 41, 53}, 1},
    {{2, 36, 2}, 2},
};

Case group_norm_case(uint32_t dtype, const GroupNormShape& shape, const NormKind& kind);

// The backward of a layer or group normalisation: fed by it, and compared with its finite differences.
Case normalize_grad_case(const Case& forward, uint32_t op);

}  // namespace oncilla::test
