// What the normalisations share: the dtypes beside x in which parameters and statistics are kept.
#pragma once

#include <tuple>

#include "torch/arguments.hpp"

namespace oncilla::adapter::norm {

using Three = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

inline at::Tensor as(const at::Tensor& t, at::ScalarType type) { return t.defined() ? t.to(type).contiguous() : t; }

// The kernels read weight and bias in x's dtype or, both, in float32 beside a half: the one of these that loses nothing.
inline at::ScalarType parameter_type(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const auto type = x.scalar_type();
  for (const at::Tensor& t : {weight, bias}) {
    if (t.defined() && t.scalar_type() != type) return wide_of(type);
  }
  return type;
}

}  // namespace oncilla::adapter::norm
