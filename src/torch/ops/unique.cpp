// Distinct elements, or slices along a dim: sorted, the first of each run of equals counts. How many there are is data: the host
// waits for it.
#include "torch/kernel.hpp"

#include <ATen/ops/_unique2_ops.h>
#include <ATen/ops/_unique_ops.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/unique_consecutive_ops.h>
#include <ATen/ops/unique_dim_consecutive_ops.h>
#include <ATen/ops/unique_dim_ops.h>

#include <algorithm>

#include "torch/indexing.hpp"

namespace oncilla::adapter {
namespace {

using Three = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

at::Tensor none(const at::Tensor& like) { return at::empty({0}, like.options().dtype(at::kLong)); }

// Of elements [n, …]: true where one differs from its predecessor along dim 0, and at the first.
at::Tensor begins(const at::Tensor& x) {
  const int64_t n = x.size(0);
  const at::Tensor out = at::ones(x.sizes(), x.options().dtype(at::kBool));
  if (n > 1) out.narrow(0, 1, n - 1).copy_(x.narrow(0, 1, n - 1).ne(x.narrow(0, 0, n - 1)));
  return out;
}
// The number of the run that each element belongs to, along dim 0.
at::Tensor run_of_each(const at::Tensor& first) { return first.cumsum(0, at::kLong).sub_(1); }
at::Tensor lengths(const at::Tensor& starts, int64_t n) {
  return at::cat({starts.narrow(0, 1, starts.numel() - 1), at::full({1}, n, starts.options())}).sub_(starts);
}
// What undoes a permutation along dim 0.
at::Tensor inverse_of(const at::Tensor& order) { return std::get<1>(at::sort(order, true, 0, false)); }

// Numbers 0, 1, … of the rows of x [n, m] in lexicographic order, equal for equal rows. Columns are numbered by themselves and then
// joined in pairs, so that there are log2(m) sorts, not m.
at::Tensor row_numbers(at::Tensor x) {
  const int64_t n = x.size(0);
  for (;;) {
    const auto [sorted, order] = at::sort(x, true, 0, false);
    const at::Tensor numbers = at::gather(run_of_each(begins(sorted)), 0, inverse_of(order));
    const int64_t columns = numbers.size(1), pairs = columns / 2;
    if (columns == 1) return numbers.select(1, 0);
    x = numbers.slice(1, 0, 2 * pairs, 2).mul(n).add(numbers.slice(1, 1, 2 * pairs, 2));
    if (columns % 2 == 1) x = at::cat({x, numbers.narrow(1, columns - 1, 1)}, 1);
  }
}

Three unique_elements(const at::Tensor& self, bool inverse, bool counts) {
  need_dtype(self.scalar_type());
  const int64_t n = self.numel();
  if (n == 0) {
    const at::Tensor of_each = inverse ? at::empty(self.sizes(), self.options().dtype(at::kLong)) : none(self);
    return {at::empty({0}, self.options()), of_each, none(self)};
  }
  const auto [sorted, order] = at::sort(self.reshape({n}), true, 0, false);
  const at::Tensor first = begins(sorted), starts = true_positions(first);
  at::Tensor of_each = none(self);
  if (inverse) of_each = at::index_select(run_of_each(first), 0, inverse_of(order)).view(self.sizes());
  return {at::index_select(sorted, 0, starts), of_each, counts ? lengths(starts, n) : none(self)};
}
Three unique2(const at::Tensor& self, bool, bool inverse, bool counts) { return unique_elements(self, inverse, counts); }
std::tuple<at::Tensor, at::Tensor> unique(const at::Tensor& self, bool, bool inverse) {
  const auto [values, of_each, counts] = unique_elements(self, inverse, false);
  return {values, of_each};
}

Three unique_slices(const at::Tensor& self, int64_t dim, bool consecutive, bool inverse, bool counts) {
  need_dtype(self.scalar_type());
  const int64_t axis = at::maybe_wrap_dim(dim, self.dim()), n = self.size(axis);
  const auto empty_dims = std::count(self.sizes().begin(), self.sizes().end(), int64_t{0});
  if (n == 0) {
    TORCH_CHECK(empty_dims == 1, "Number of zero sized dimensions is more than one, so unique cannot be applied ");
    return {at::empty(self.sizes(), self.options()), none(self), none(self)};
  }
  TORCH_CHECK(empty_dims == 0, "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
  const at::Tensor rows = self.movedim(axis, 0).reshape({n, self.numel() / n});
  at::Tensor order, first;
  if (consecutive) {
    first = begins(rows).any(1);
  } else {
    at::Tensor numbers;
    std::tie(numbers, order) = at::sort(row_numbers(rows), true, 0, false);
    first = begins(numbers);
  }
  const at::Tensor starts = true_positions(first), at = order.defined() ? at::index_select(order, 0, starts) : starts;
  at::Tensor of_each = none(self);
  if (inverse) {
    of_each = run_of_each(first);
    if (order.defined()) of_each = at::index_select(of_each, 0, inverse_of(order));
  }
  return {at::index_select(self, axis, at), of_each, counts ? lengths(starts, n) : none(self)};
}
Three unique_dim(const at::Tensor& self, int64_t dim, bool, bool inverse, bool counts) {
  return unique_slices(self, dim, false, inverse, counts);
}
Three unique_dim_consecutive(const at::Tensor& self, int64_t dim, bool inverse, bool counts) {
  return unique_slices(self, dim, true, inverse, counts);
}
Three unique_consecutive(const at::Tensor& self, bool inverse, bool counts, std::optional<int64_t> dim) {
  if (dim && !(*dim == 0 && self.dim() == 1)) return unique_slices(self, *dim, true, inverse, counts);
  if (self.numel() == 0) return unique_elements(self, inverse, counts);
  need_dtype(self.scalar_type());
  auto [values, of_each, count] = unique_slices(self.reshape({self.numel()}), 0, true, inverse, counts);
  return {values, inverse ? of_each.view(self.sizes()) : of_each, count};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::_unique, unique>(m);
  kernel<at::_ops::_unique2, unique2>(m);
  kernel<at::_ops::unique_dim, unique_dim>(m);
  kernel<at::_ops::unique_dim_consecutive, unique_dim_consecutive>(m);
  kernel<at::_ops::unique_consecutive, unique_consecutive>(m);
}

}  // namespace oncilla::adapter
