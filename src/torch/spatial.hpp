// What pools, resampling and padding share.
#pragma once

#include <ATen/ops/empty.h>

#include "torch/arguments.hpp"

namespace oncilla::adapter {

// [N, C, ...]: the batch dim is added where it is missing.
inline at::Tensor batched(const at::Tensor& t, int64_t spatial_rank) { return t.dim() == spatial_rank + 1 ? t.unsqueeze(0) : t; }

// For an op that is to write dense memory in the usual order: any other output gets a copy.
struct Dense {
  explicit Dense(const at::Tensor& out) : out(out), to(out.is_contiguous() ? out : at::empty(out.sizes(), out.options())) {}
  void finish() const {
    if (!to.is_same(out)) out.copy_(to);
  }
  const at::Tensor& out;
  at::Tensor to;
};

}  // namespace oncilla::adapter
