// Reading by index along one dim, and what moves elements by their coordinates: gather, index_select, embedding, take, flip, roll,
// channel_shuffle.
#include "torch/kernel.hpp"

#include <ATen/MemoryOverlap.h>
#include <ATen/WrapDimUtilsMulti.h>
#include <ATen/native/Resize.h>
#include <ATen/ops/channel_shuffle_native.h>
#include <ATen/ops/channel_shuffle_ops.h>
#include <ATen/ops/embedding_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/flip_ops.h>
#include <ATen/ops/gather_meta.h>
#include <ATen/ops/gather_ops.h>
#include <ATen/ops/index_select_ops.h>
#include <ATen/ops/roll_ops.h>
#include <ATen/ops/take_ops.h>

#include "torch/indexing.hpp"
#include "torch/shaped.hpp"
#include "torch/spatial.hpp"

namespace oncilla::adapter {
namespace {

std::span<const int64_t> span_of(const at::Tensor& t) { return {t.sizes().data(), t.sizes().size()}; }

// An out= argument of an op without a shape function of PyTorch's.
void check_out(const char* name, const at::Tensor& self, const at::Tensor& index, const at::Tensor& out) {
  TORCH_CHECK(out.scalar_type() == self.scalar_type(), name, ": self and result must have the same scalar type");
  check_same_device(self, out);
  at::assert_no_internal_overlap(out);
  at::assert_no_overlap(out, self);
  at::assert_no_overlap(out, index);
}

at::Tensor& gather_out(const at::Tensor& self, int64_t dim, const at::Tensor& index, bool sparse_grad, at::Tensor& out) {
  const uint32_t dtype = need_dtype(self.scalar_type());
  Shaped<at::meta::structured_gather> shaped({out});
  shaped.meta(self, dim, index, sparse_grad);
  check_same_device(self, index);
  if (out.numel() == 0) return out;
  const at::Tensor table = some_dim(self).contiguous(), at = some_dim(as_long(index));
  const int64_t axis = at::maybe_wrap_dim(dim, table.dim());
  TORCH_CHECK_INDEX(table.size(axis) > 0, "index out of range in self");
  const IndexRange range{"gather", axis, table.size(axis)};
  run_index_tape(oncilla::gather(dtype, span_of(table), static_cast<uint32_t>(axis), span_of(at)), table, at, some_dim(out),
                 &range);
  return out;
}

std::vector<int64_t> selected_sizes(const at::Tensor& self, int64_t dim, const at::Tensor& index) {
  need_dtype(self.scalar_type());
  check_same_device(self, index);
  TORCH_CHECK_INDEX(index.dim() <= 1, "index_select(): Index is supposed to be a vector");
  TORCH_CHECK(index.scalar_type() == at::kLong || index.scalar_type() == at::kInt,
              "index_select(): Expected dtype int32 or int64 for index");
  std::vector<int64_t> sizes(self.sizes().begin(), self.sizes().end());
  const int64_t axis = at::maybe_wrap_dim(dim, self.dim());
  if (self.dim() == 0) {
    TORCH_CHECK(index.numel() == 1, "index_select(): Index to scalar can have only 1 value, got ", index.numel(), " value(s)");
  } else {
    sizes[static_cast<size_t>(axis)] = index.numel();
  }
  return sizes;
}
at::Tensor& index_select_into(const at::Tensor& self, int64_t dim, const at::Tensor& index, at::Tensor& out) {
  const at::Tensor from = some_dim(self);
  const int64_t axis = at::maybe_wrap_dim(dim, self.dim());
  const IndexRange range{"index_select", axis, from.size(axis)};
  read_rows(from, axis, some_dim(as_long(index)), some_dim(out), false, &range);
  return out;
}
at::Tensor index_select_new(const at::Tensor& self, int64_t dim, const at::Tensor& index) {
  at::Tensor out = at::empty(selected_sizes(self, dim, index), self.options());
  return index_select_into(self, dim, index, out);
}
at::Tensor& index_select_out(const at::Tensor& self, int64_t dim, const at::Tensor& index, at::Tensor& out) {
  const std::vector<int64_t> sizes = selected_sizes(self, dim, index);
  check_out("index_select()", self, index, out);
  at::native::resize_output(out, sizes);
  return index_select_into(self, dim, index, out);
}

// PyTorch's composition would name index_select where an index is out of range.
at::Tensor embedding(const at::Tensor& weight, const at::Tensor& index, c10::SymInt, bool, bool) {
  need_dtype(weight.scalar_type());
  TORCH_CHECK(weight.dim() == 2, "'weight' must be 2-D");
  TORCH_CHECK(index.scalar_type() == at::kLong || index.scalar_type() == at::kInt,
              "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got ",
              index.scalar_type(), " instead (while checking arguments for embedding)");
  check_same_device(weight, index);
  std::vector<int64_t> sizes(index.sizes().begin(), index.sizes().end());
  sizes.push_back(weight.size(1));
  at::Tensor out = at::empty(sizes, weight.options());
  const IndexRange range{"embedding", 0, weight.size(0)};
  read_rows(weight, 0, as_long(index).reshape({index.numel()}), out.view({index.numel(), weight.size(1)}), false, &range);
  return out;
}

// Of the flattened tensor; negative positions count from its end.
void check_take(const at::Tensor& self, const at::Tensor& index) {
  need_dtype(self.scalar_type());
  check_same_device(self, index);
  TORCH_CHECK(index.scalar_type() == at::kLong, "take(): Expected a long tensor for index, but got ", index.scalar_type());
  TORCH_CHECK_INDEX(self.numel() > 0 || index.numel() == 0, "take(): tried to take from an empty tensor");
}
at::Tensor& take_into(const at::Tensor& self, const at::Tensor& index, at::Tensor& out) {
  const Dense to(out);
  const IndexRange range{"take", kFlat, self.numel(), true};
  read_rows(self.reshape({self.numel()}), 0, index.reshape({index.numel()}), to.to.view({index.numel()}), true, &range);
  to.finish();
  return out;
}
at::Tensor take(const at::Tensor& self, const at::Tensor& index) {
  check_take(self, index);
  at::Tensor out = at::empty(index.sizes(), self.options());
  return take_into(self, index, out);
}
at::Tensor& take_out(const at::Tensor& self, const at::Tensor& index, at::Tensor& out) {
  check_take(self, index);
  check_out("take()", self, index, out);
  at::native::resize_output(out, index.sizes());
  return take_into(self, index, out);
}

at::Tensor flip_dims(const at::Tensor& self, at::IntArrayRef dims) {
  const uint32_t dtype = need_dtype(self.scalar_type());
  const auto axes = at::dim_list_to_bitset(dims, static_cast<size_t>(self.dim()));
  if (self.numel() <= 1 || dims.empty()) return self.clone();
  const at::Tensor table = self.contiguous(), out = at::empty(self.sizes(), self.options());
  run_index_tape(oncilla::flip(dtype, span_of(table), static_cast<uint32_t>(axes.to_ulong())), table, {}, out);
  return out;
}

at::Tensor roll_dims(const at::Tensor& self, c10::SymIntArrayRef sym_shifts, at::IntArrayRef dims) {
  const uint32_t dtype = need_dtype(self.scalar_type());
  const auto shifts = C10_AS_INTARRAYREF_SLOW(sym_shifts);
  TORCH_CHECK(!shifts.empty(), "`shifts` required");
  if (dims.empty() && shifts.size() == 1) return roll_dims(self.reshape({self.numel()}), sym_shifts, {0}).view(self.sizes());
  TORCH_CHECK_INDEX(self.dim() > 0 || dims.empty(), "Dimension specified as ", dims.empty() ? 0 : dims[0],
                    " but tensor has no dimensions");
  TORCH_CHECK(shifts.size() == dims.size(), "shifts and dimensions must align. shifts: ", shifts.size(), ", dims:", dims.size());
  std::vector<int64_t> by(static_cast<size_t>(self.dim()), 0);
  for (size_t k = 0; k < dims.size(); ++k) {
    const int64_t d = at::maybe_wrap_dim(dims[k], self.dim());
    if (self.dim() > 0) by[static_cast<size_t>(d)] += shifts[k];
  }
  if (self.numel() <= 1) return self.clone(at::MemoryFormat::Contiguous);
  const at::Tensor table = self.contiguous(), out = at::empty(self.sizes(), self.options());
  run_index_tape(oncilla::roll(dtype, span_of(table), by), table, {}, out);
  return out;
}

at::Tensor shuffle_channels(const at::Tensor& self, c10::SymInt groups) {
  return at::native::channel_shuffle(self, groups.guard_int(__FILE__, __LINE__));
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::gather_out, gather_out>(m);
  kernel<at::_ops::embedding, embedding>(m);
  kernel<at::_ops::index_select, index_select_new>(m);
  kernel<at::_ops::index_select_out, index_select_out>(m);
  kernel<at::_ops::take, take>(m);
  kernel<at::_ops::take_out, take_out>(m);
  kernel<at::_ops::flip, flip_dims>(m);
  kernel<at::_ops::roll, roll_dims>(m);
  kernel<at::_ops::channel_shuffle, shuffle_channels>(m);
}

}  // namespace oncilla::adapter
