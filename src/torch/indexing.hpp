// What ops by index share: reading rows at positions, SCATTER, the positions of true elements.
//
// An index that lies outside its axis: the CPU raises IndexError at once. Here it is raised where the host waits next
// (index_check.hpp). Until then a stray position reads NaN (0 where the dtype is not floating) and writes nothing; it never touches
// memory that is not its tensor's.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/indexing.hpp"
#include "torch/index_check.hpp"
#include "torch/tensor.hpp"

namespace oncilla::adapter {

at::Tensor as_long(const at::Tensor& index);    // int32 indices become int64
at::Tensor some_dim(const at::Tensor& tensor);  // a 0-dim tensor as one of one element
bool shares_memory(const at::Tensor& a, const at::Tensor& b);
void check_same_device(const at::Tensor& a, const at::Tensor& b);

// A 1-D index as one of `sizes`: it stands at `axis`, and is the same along the other dims.
at::Tensor along(const at::Tensor& index, int64_t axis, at::IntArrayRef sizes);

// Runs a tape of core/indexing.hpp on a contiguous table; out may have any strides. range: what the only index is checked for.
void run_index_tape(IndexTape made, const at::Tensor& table, at::ArrayRef<at::Tensor> indices, const at::Tensor& out,
                    const IndexRange* range = nullptr);

// out[..., i, ...] = self[..., index[i], ...], the index int64 and 1-D; wrap: from -size it counts from the end. range: what the
// index is checked for, NULL where it cannot be wrong.
void read_rows(const at::Tensor& self, int64_t axis, const at::Tensor& index, const at::Tensor& out, bool wrap,
               const IndexRange* range);

// y = self (undefined: zeros), then y[..., index[i], ...] is combined with src[i] in the index's order, which is why sums are the
// same at every run. self may be y. reduce: ONC_SCATTER_*.
void scatter_into(const at::Tensor& self, int64_t axis, const at::Tensor& index, const at::Tensor& src, uint32_t reduce,
                  bool include_self, const at::Tensor& y);

// Row-major positions of the elements that are not 0. The host waits for their number.
at::Tensor true_positions(const at::Tensor& mask);
// The first `count` of them, at most as many as the mask has elements; numel behind the last. The host waits for nothing.
at::Tensor first_positions(const at::Tensor& mask, int64_t count);

}  // namespace oncilla::adapter
