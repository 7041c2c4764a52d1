// Indexing as tapes over a contiguous tensor that is read by position (GATHER). Sizes are run-time scalars, so that one program
// serves every shape; `scalars` holds them in the order in which the tape reads them, in front of what a host adds.
//
// Positions are computed in 32 bits where the tensor has fewer than 2^31 elements. An index outside its axis gives NaN, or 0 where
// the dtype is not floating, and never the element of another row; indices from -size to -1 count from the end if `wrap`.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tape.hpp"

namespace oncilla {

struct IndexTape {
  Tape tape;
  std::vector<onc_scalar> scalars;
  std::vector<int64_t> dims;      // the iteration space, and the sizes of the output
  std::vector<uint16_t> indices;  // the values that are the index inputs as they were given, I64
};

// y[..., k, ...] = x[..., index[k], ...] along `axis`: index_select, embedding (axis 0), and with sizes = {n}: take.
// in: x as [numel]; index I64 [m], with stride 0 along the other dims.  out: y.
// dims: {outer, m, inner}, the product of the sizes before the axis, and of those behind it.
IndexTape index_select(uint32_t dtype, std::span<const int64_t> sizes, uint32_t axis, int64_t m, bool wrap = false);

// y[i, j, k] = x[i, index[i, j, k], k] along `axis`.  in: x as [numel]; index I64 of index_sizes, which off the axis are at most
// x's. out: y of index_sizes.
IndexTape gather(uint32_t dtype, std::span<const int64_t> sizes, uint32_t axis, std::span<const int64_t> index_sizes,
                 bool wrap = false);

// x[..., i, j, ...] with index tensors for the first n_indices dims (advanced indexing): index tensors I64 broadcast to `broadcast`
// (stride 0), followed by the remaining dims.  in: x as [numel]; n_indices index tensors.  out: y of broadcast + remaining sizes.
IndexTape index_tensors(uint32_t dtype, std::span<const int64_t> sizes, uint32_t n_indices, std::span<const int64_t> broadcast,
                        bool wrap = true);

// in: x as [numel].  out: y of the same sizes, reversed along the dims whose bit is set.
IndexTape flip(uint32_t dtype, std::span<const int64_t> sizes, uint32_t axes);

// in: x as [numel].  out: y[i] = x[(i - shift) mod size] along each dim. shifts: one a dim.
IndexTape roll(uint32_t dtype, std::span<const int64_t> sizes, std::span<const int64_t> shifts);

// The lower triangle of the last two dims (upper: the upper one) up to diagonal k, zero elsewhere.  in: x of any strides.  out: y.
IndexTape triangle(uint32_t dtype, std::span<const int64_t> sizes, int64_t k, bool upper);

// in: index I64 of sizes [..., classes], stride 0 along the last.  out: 1 at the index, else 0, of any dtype.
Tape one_hot(uint32_t rank);

// Where `mask`, the next element of `source`.  in: self, mask BOOL, rank I64 (the exclusive running count of mask, by SCAN), source
// as [numel].  out: y. All but source of the same sizes.
Tape masked_scatter(uint32_t dtype);

}  // namespace oncilla
