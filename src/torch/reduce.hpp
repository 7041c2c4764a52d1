// Reductions: a tape over operands of one shape, some dims of which are reduced.
#pragma once

#include <bitset>

#include "torch/pointwise.hpp"

namespace oncilla::adapter {

using Dims = std::bitset<64>;

// The dims named, all of them where none is.
Dims dims_of(at::OptionalIntArrayRef dims, int64_t rank);

// How many elements make one of the result.
int64_t count_of(const at::Tensor& self, Dims dims);

// outs: of the kept dims, or of all with size 1 where reduced. ins: all of one shape. fn emits the reduced values with ctx.out, one
// an output, or returns the only one. Computes in `common`.
void reduce(at::ArrayRef<at::Tensor> outs, at::ArrayRef<at::Tensor> ins, Dims reduced, c10::ScalarType common,
            at::ArrayRef<c10::IValue> args, Fn fn);

}  // namespace oncilla::adapter
