// Order statistics along a dim: kthvalue, median, nanmedian and mode, all read from a stable sort, in which NaN stands at the end.
#include "torch/kernel.hpp"

#include <ATen/MemoryOverlap.h>
#include <ATen/native/ReduceOpsUtils.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/kthvalue_ops.h>
#include <ATen/ops/median_ops.h>
#include <ATen/ops/mode_ops.h>
#include <ATen/ops/nanmedian_ops.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/where.h>

#include <limits>

#include "torch/indexing.hpp"

namespace oncilla::adapter {
namespace {

using Pair = std::tuple<at::Tensor&, at::Tensor&>;

// Checks, sizes and dtypes of the outputs as on the CPU; the wrapped dim.
int64_t prepare(const char* name, const at::Tensor& self, int64_t dim, bool keepdim, at::Tensor& values, at::Tensor& indices) {
  need_dtype(self.scalar_type());
  const int64_t axis = at::maybe_wrap_dim(dim, self.dim());
  at::native::zero_numel_check_dims(self, axis, name);
  TORCH_CHECK(values.scalar_type() == self.scalar_type(), "Expected values of dtype ", self.scalar_type(), ", but got ",
              values.scalar_type());
  TORCH_CHECK(indices.scalar_type() == at::kLong, "Expected indices of dtype ", at::kLong, ", but got ", indices.scalar_type());
  check_same_device(self, values);
  check_same_device(self, indices);
  std::vector<int64_t> sizes(self.sizes().begin(), self.sizes().end());
  if (!sizes.empty() && keepdim) sizes[static_cast<size_t>(axis)] = 1;
  if (!sizes.empty() && !keepdim) sizes.erase(sizes.begin() + axis);
  at::native::resize_output(values, sizes);
  at::native::resize_output(indices, sizes);
  at::assert_no_internal_overlap(values);
  at::assert_no_internal_overlap(indices);
  at::assert_no_overlap(values, self);
  return axis;
}

void store(const at::Tensor& result, const at::Tensor& out) { out.copy_(result.reshape(out.sizes())); }

Pair kth_value(const at::Tensor& self, c10::SymInt sym_k, int64_t dim, bool keepdim, at::Tensor& values, at::Tensor& indices) {
  const int64_t k = sym_k.guard_int(__FILE__, __LINE__);
  const int64_t axis = prepare("kthvalue()", self, dim, keepdim, values, indices);
  const at::Tensor x = some_dim(self);
  TORCH_CHECK(k >= 1 && k <= x.size(axis), "selected index k out of range");
  const auto [sorted, order] = at::sort(x, true, axis, false);
  store(sorted.narrow(axis, k - 1, 1), values);
  store(order.narrow(axis, k - 1, 1), indices);
  return {values, indices};
}

// The lower one of two in the middle. Of a row with a NaN: the first NaN, or, if ignored, the median of the others.
void median_of_rows(const at::Tensor& self, int64_t axis, bool ignore_nan, const at::Tensor& values, const at::Tensor& indices) {
  if (self.numel() == 0) return;
  const at::Tensor x = some_dim(self);
  const int64_t n = x.size(axis);
  const auto [sorted, order] = at::sort(x, true, axis, false);
  if (!x.is_floating_point()) {
    store(sorted.narrow(axis, (n - 1) / 2, 1), values);
    store(order.narrow(axis, (n - 1) / 2, 1), indices);
    return;
  }
  const at::Tensor nans = x.ne(x).sum(axis, true);
  const at::Tensor at =
      ignore_nan ? nans.neg().add(n - 1).clamp_min(0).div(2, "floor") : at::where(nans.gt(0), nans.neg().add(n), (n - 1) / 2);
  store(at::gather(sorted, axis, at), values);
  store(at::gather(order, axis, at), indices);
}
Pair median_dim(const at::Tensor& self, int64_t dim, bool keepdim, at::Tensor& values, at::Tensor& indices) {
  median_of_rows(self, prepare("median()", self, dim, keepdim, values, indices), false, values, indices);
  return {values, indices};
}
Pair nan_median_dim(const at::Tensor& self, int64_t dim, bool keepdim, at::Tensor& values, at::Tensor& indices) {
  median_of_rows(self, prepare("nanmedian()", self, dim, keepdim, values, indices), true, values, indices);
  return {values, indices};
}

template <bool kIgnoreNan>
at::Tensor median_of_all(const at::Tensor& self) {
  need_dtype(self.scalar_type());
  if (self.numel() == 0) return at::full({}, std::numeric_limits<double>::quiet_NaN()).to(self.options());
  const at::Tensor value = at::empty({}, self.options()), index = at::empty({}, self.options().dtype(at::kLong));
  median_of_rows(self.reshape({self.numel()}), 0, kIgnoreNan, value, index);
  return value;
}

// The least of the most frequent values, and the last position at which it stands.
Pair mode_out(const at::Tensor& self, int64_t dim, bool keepdim, at::Tensor& values, at::Tensor& indices) {
  const int64_t axis = prepare("mode()", self, dim, keepdim, values, indices);
  if (values.numel() == 0) return {values, indices};
  const at::Tensor rows = some_dim(self).movedim(axis, -1);
  const auto [sorted, order] = at::sort(rows, true, -1, false);
  const int64_t n = rows.size(-1);
  const at::Tensor each = at::arange(n, order.options());
  // Where the run of equals begins that an element belongs to; so an element's number within its run is at most the run's length.
  const at::Tensor first = at::ones(rows.sizes(), rows.options().dtype(at::kBool));
  if (n > 1) first.narrow(-1, 1, n - 1).copy_(sorted.narrow(-1, 1, n - 1).ne(sorted.narrow(-1, 0, n - 1)));
  const at::Tensor begin = std::get<0>(at::where(first, each, 0).cummax(-1));
  const at::Tensor at = each.sub(begin).argmax(-1, true);
  store(at::gather(sorted, -1, at).movedim(-1, axis), values);
  store(at::gather(order, -1, at).movedim(-1, axis), indices);
  return {values, indices};
}
std::tuple<at::Tensor, at::Tensor> mode(const at::Tensor& self, int64_t dim, bool keepdim) {
  at::Tensor values = at::empty({0}, self.options()), indices = at::empty({0}, self.options().dtype(at::kLong));
  mode_out(self, dim, keepdim, values, indices);
  return {values, indices};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::kthvalue_values, kth_value>(m);
  kernel<at::_ops::median_dim_values, median_dim>(m);
  kernel<at::_ops::nanmedian_dim_values, nan_median_dim>(m);
  kernel<at::_ops::median, median_of_all<false>>(m);
  kernel<at::_ops::nanmedian, median_of_all<true>>(m);
  kernel<at::_ops::mode, mode>(m);
  kernel<at::_ops::mode_values, mode_out>(m);
}

}  // namespace oncilla::adapter
