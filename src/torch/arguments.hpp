// What the ops' arguments have in common: tensors that may be absent, the dtypes that an op serves.
#pragma once

#include <optional>
#include <string>

#include "torch/tensor.hpp"

namespace oncilla::adapter {

using Maybe = std::optional<at::Tensor>;

// An absent tensor is an undefined one.
inline at::Tensor of(const Maybe& t) { return t && t->defined() ? *t : at::Tensor(); }

// Declined where x is not of a floating dtype that kernels know; what: "batch norm".
inline void need_floating(const at::Tensor& x, const char* what) {
  need_dtype(x.scalar_type());
  if (!x.is_floating_point()) throw Declined(std::string(what) + " in " + c10::toString(x.scalar_type()));
}

// In which statistics of a floating dtype are computed and saved.
inline at::ScalarType wide_of(at::ScalarType type) { return type == at::kDouble ? at::kDouble : at::kFloat; }

}  // namespace oncilla::adapter
