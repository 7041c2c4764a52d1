// Whether elements are among others, and where a number belongs in a sorted row.
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/native/BucketizationUtils.h>
#include <ATen/ops/any.h>
#include <ATen/ops/bucketize.h>
#include <ATen/ops/bucketize_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isin_ops.h>
#include <ATen/ops/logical_not.h>
#include <ATen/ops/result_type.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/take.h>

#include "torch/pointwise.hpp"

namespace oncilla::adapter {
namespace {

// Beyond so many elements they are sorted and searched; until then each is compared with each.
constexpr int64_t kFew = 32;

at::Tensor is_in(const at::Tensor& elements, const at::Tensor& test, bool, bool invert) {
  TORCH_CHECK(elements.device() == test.device() || elements.dim() == 0 || test.dim() == 0,
              "Expected elements and test_elements to be on one device, but they are on ", elements.device(), " and ",
              test.device());
  const auto device = elements.device().type() == kOcl ? elements.device() : test.device();
  if (test.numel() == 0) return at::full(elements.sizes(), invert, elements.options().device(device).dtype(at::kBool));
  at::ScalarType type = at::result_type(elements, test);
  need_dtype(type);
  if (type == at::kBool) type = at::kByte;
  const at::Tensor x = elements.to(device, type), among = test.to(device, type).reshape({-1});
  at::Tensor found;
  if (among.numel() <= kFew) {
    found = at::any(at::eq(x.unsqueeze(-1), among), -1);
  } else {
    const at::Tensor sorted = std::get<0>(at::sort(among));
    // A number behind the last has that for a neighbour, which it is not equal to. A NaN is equal to nothing.
    const at::Tensor place = at::searchsorted(sorted, x.contiguous()).clamp_max(among.numel() - 1);
    found = at::eq(at::take(sorted, place), x);
  }
  return invert ? at::logical_not(found) : found;
}
at::Tensor is_in_number(const at::Tensor& elements, const at::Scalar& test, bool assume_unique, bool invert) {
  return is_in(elements, wrapped_number(test), assume_unique, invert);
}
at::Tensor number_is_in(const at::Scalar& element, const at::Tensor& test, bool assume_unique, bool invert) {
  return is_in(wrapped_number(element), test, assume_unique, invert);
}

at::Tensor bucketize_number(const at::Scalar& self, const at::Tensor& boundaries, bool narrow, bool right) {
  return at::bucketize(at::native::searchsorted_scalar_tensor(self, boundaries.device()), boundaries, narrow, right);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::isin_Tensor_Tensor, is_in>(m);
  kernel<at::_ops::isin_Tensor_Scalar, is_in_number>(m);
  kernel<at::_ops::isin_Scalar_Tensor, number_is_in>(m);
  kernel<at::_ops::bucketize_Scalar, bucketize_number>(m);
}

}  // namespace oncilla::adapter
