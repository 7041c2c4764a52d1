// _foreach_norm, which clips gradients: the norms of all tensors in one launch.
#include <ATen/ops/_foreach_norm_native.h>
#include <torch/library.h>

#include <cmath>

#include "torch/foreach.hpp"

namespace oncilla::adapter {
namespace {

std::optional<uint32_t> kind_of(const at::Scalar& ord) {
  if (ord.isComplex()) return std::nullopt;
  const double p = ord.toDouble();
  if (p == 1) return ONC_NORM_1;
  if (p == 2) return ONC_NORM_2;
  if (std::isinf(p) && p > 0) return ONC_NORM_MAX;
  return std::nullopt;
}

// One launch takes dense tensors with elements, of one floating dtype. Their layout does not matter to a norm.
bool alike(at::TensorList tensors, std::optional<at::ScalarType> dtype) {
  for (const at::Tensor& t : tensors) {
    if (t.device() != tensors[0].device() || t.device().type() != kOcl || t.scalar_type() != tensors[0].scalar_type()) return false;
    if (!t.is_floating_point() || onc_dtype(t.scalar_type()) == 0 || t.numel() == 0 || !t.is_non_overlapping_and_dense() ||
        t.is_neg())
      return false;
  }
  return !tensors.empty() && (!dtype || *dtype == tensors[0].scalar_type());
}

std::vector<at::Tensor> foreach_norm(at::TensorList tensors, const at::Scalar& ord, std::optional<at::ScalarType> dtype) {
  const auto kind = kind_of(ord);
  if (!kind || !alike(tensors, dtype)) return at::native::foreach_tensor_norm_slow(tensors, ord, dtype);
  const at::Tensor norms = norms_of(tensors, *kind);
  const at::Tensor result = norms.to(tensors[0].scalar_type());
  std::vector<at::Tensor> out;
  for (int64_t i = 0; i < result.size(0); ++i) out.push_back(result.select(0, i));
  return out;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) { m.impl("_foreach_norm.Scalar", &foreach_norm); }

}  // namespace oncilla::adapter
