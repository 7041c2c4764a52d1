// What the normalisations share: tensors that may be absent, and the dtypes beside x in which parameters and statistics are kept.
#pragma once

#include <array>
#include <optional>
#include <tuple>

#include "torch/tensor.hpp"

namespace oncilla::adapter::norm {

using Maybe = std::optional<at::Tensor>;
using Three = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

inline at::Tensor of(const Maybe& t) { return t && t->defined() ? *t : at::Tensor(); }
inline at::Tensor as(const at::Tensor& t, at::ScalarType type) { return t.defined() ? t.to(type).contiguous() : t; }
// In which statistics are computed and saved.
inline at::ScalarType wide_of(at::ScalarType type) { return type == at::kDouble ? at::kDouble : at::kFloat; }

inline void need_floating(const at::Tensor& x, const char* what) {
  need_dtype(x.scalar_type());
  if (!x.is_floating_point()) throw Declined(std::string(what) + " in " + c10::toString(x.scalar_type()));
}

// The kernels read weight and bias in x's dtype or, both, in float32 beside a half: the one of these that loses nothing.
inline at::ScalarType parameter_type(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const auto type = x.scalar_type();
  for (const at::Tensor& t : {weight, bias}) {
    if (t.defined() && t.scalar_type() != type) return wide_of(type);
  }
  return type;
}

}  // namespace oncilla::adapter::norm
