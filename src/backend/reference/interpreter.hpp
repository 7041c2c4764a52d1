// Runs a tape of EXPR or FOREACH one element at a time. Sums and products of floats are carried in double and rounded at the end;
// every other instruction gives the value of its own dtype (scalar_ops.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kit/desc.hpp"
#include "storage.hpp"

namespace oncilla::reference {

// Where a tape's leaves come from; the element is its row-major index in the iteration space.
struct Leaves {
  std::function<Number(uint32_t input, uint64_t element)> load;  // the stored value, in the input's own dtype
  std::vector<uint32_t> input_dtypes;
  std::vector<uint64_t> table_sizes;  // of each input that GATHER reads: its elements, which load() counts
  std::span<const onc_scalar> scalars, tensor_scalars;
  std::vector<bool> reduced_outs;  // outputs that live on the leading dims; empty: none
};

// Word `word` of Philox4x32-10 for a counter and key of 64-bit halves, low word first.
uint32_t philox(uint64_t counter_low, uint64_t counter_high, uint64_t key, uint32_t word);

// The values of every output, row-major: of the iteration space, or of its leading dims for a reduced value. dims: the iteration
// space.
std::vector<std::vector<Number>> interpret(const kit::Tape& tape, const kit::Dims& dims, const Leaves& leaves);

}  // namespace oncilla::reference
