// Scans (running totals along a dim), sorting, the largest k, and searching sorted rows.
#include "torch/kernel.hpp"

#include <ATen/native/BucketizationUtils.h>
#include <ATen/native/Resize.h>
#include <ATen/ops/_cummax_helper_ops.h>
#include <ATen/ops/_cummin_helper_ops.h>
#include <ATen/ops/_logcumsumexp_ops.h>
#include <ATen/ops/bucketize_ops.h>
#include <ATen/ops/cumprod_meta.h>
#include <ATen/ops/cumprod_ops.h>
#include <ATen/ops/cumsum_meta.h>
#include <ATen/ops/cumsum_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/result_type.h>
#include <ATen/ops/searchsorted_ops.h>
#include <ATen/ops/sort_meta.h>
#include <ATen/ops/sort_ops.h>
#include <ATen/ops/topk_meta.h>
#include <ATen/ops/topk_ops.h>

#include "torch/arguments.hpp"
#include "torch/indexing.hpp"
#include "torch/shaped.hpp"

namespace oncilla::adapter {
namespace {

// Where an op writes that must not write over what it reads: out, or memory of its own that finish() copies there.
struct Apart {
  Apart(const at::Tensor& out, const at::Tensor& in)
      : out(some_dim(out)), to(shares_memory(out, in) ? at::empty(this->out.sizes(), out.options()) : this->out) {}
  void finish() const {
    if (!to.is_same(out)) out.copy_(to);
  }
  at::Tensor out, to;
};

// x of y's dtype.
void scan(const at::Tensor& x, int64_t dim, uint32_t kind, const at::Tensor& y, const at::Tensor& index) {
  if (y.scalar_type() == at::kBool && kind != ONC_SCAN_MIN && kind != ONC_SCAN_MAX) throw Declined("a running sum stored as bool");
  need_dtype(y.scalar_type());
  const int64_t axis = at::maybe_wrap_dim(dim, x.dim());
  if (y.numel() == 0) return;
  const at::Tensor from = some_dim(x);
  const Apart to(y, x);
  onc_scan_attrs attrs{};
  attrs.axis = static_cast<uint32_t>(axis);
  attrs.kind = kind;
  Op op(ONC_OP_SCAN);
  op.in(in_ref(from)).out(out_ref(to.to));
  const at::Tensor positions = index.defined() ? some_dim(index) : index;
  maybe_out(op, positions).attrs(attrs);
  run(op, y.device().index());
  to.finish();
}

template <class Meta, uint32_t kKind>
at::Tensor& running(const at::Tensor& self, int64_t dim, std::optional<at::ScalarType> dtype, at::Tensor& out) {
  need_dtype(self.scalar_type());
  Shaped<Meta> shaped({out});
  shaped.meta(self, dim, dtype);
  need_dtype(out.scalar_type());
  scan(self.to(out.scalar_type()), dim, kKind, out, {});
  return out;
}

// The position is that of the last of equals; a NaN stays to the end.
template <uint32_t kKind>
void running_extreme(const at::Tensor& self, at::Tensor& values, at::Tensor& indices, int64_t dim) {
  scan(self, dim, kKind, values, indices);
}

at::Tensor log_cum_sum_exp(const at::Tensor& self, int64_t dim) {
  need_floating(self, "logcumsumexp");
  at::Tensor out = at::empty(self.sizes(), self.options());
  scan(self, dim, ONC_SCAN_LOGSUMEXP, out, {});
  return out;
}
at::Tensor& log_cum_sum_exp_out(const at::Tensor& self, int64_t dim, at::Tensor& out) {
  need_floating(self, "logcumsumexp");
  TORCH_CHECK(out.scalar_type() == self.scalar_type(), "expected scalar_type ", self.scalar_type(), " but found ",
              out.scalar_type());
  check_same_device(self, out);
  at::native::resize_output(out, self.sizes());
  scan(self, dim, ONC_SCAN_LOGSUMEXP, out, {});
  return out;
}

// SORT, and TOP_K, which reads k from its outputs.
void order(uint32_t number, const at::Tensor& self, int64_t dim, bool descending, const at::Tensor& values,
           const at::Tensor& indices) {
  if (values.numel() == 0) return;
  const at::Tensor x = some_dim(self);
  const Apart y(values, self), index(indices, self);
  onc_sort_attrs attrs{};
  attrs.axis = static_cast<uint32_t>(at::maybe_wrap_dim(dim, x.dim()));
  attrs.descending = descending;
  Op op(number);
  op.in(in_ref(x)).out(out_ref(y.to)).out(out_ref(index.to)).attrs(attrs);
  run(op, self.device().index());
  y.finish();
  index.finish();
}
// Always stable, as the kernel is.
std::tuple<at::Tensor&, at::Tensor&> sort(const at::Tensor& self, std::optional<bool> stable, int64_t dim, bool descending,
                                          at::Tensor& values, at::Tensor& indices) {
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_sort_stable, 2> shaped({values, indices});
  shaped.meta(self, stable, dim, descending);
  order(ONC_OP_SORT, self, dim, descending, values, indices);
  return {values, indices};
}
std::tuple<at::Tensor&, at::Tensor&> top_k(const at::Tensor& self, c10::SymInt k, int64_t dim, bool largest, bool sorted,
                                           at::Tensor& values, at::Tensor& indices) {
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_topk, 2> shaped({values, indices});
  shaped.meta(self, k.guard_int(__FILE__, __LINE__), dim, largest, sorted);
  order(ONC_OP_TOP_K, self, dim, largest, values, indices);
  return {values, indices};
}

// --- where values would be inserted

at::Tensor& search_out(const at::Tensor& sorted, const at::Tensor& values, bool out_int32, bool right,
                       std::optional<c10::string_view> side, const std::optional<at::Tensor>& sorter, at::Tensor& out) {
  const at::Tensor by = sorter.value_or(at::Tensor());
  if (by.defined()) {  // PyTorch's check would read it back; a position outside its row reads 0 here
    check_same_device(sorted, by);
    TORCH_CHECK(by.sizes() == sorted.sizes(),
                "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor ", sorted.sizes(),
                "and got sorter tensor ", by.sizes());
    TORCH_CHECK(by.scalar_type() == at::kLong, "torch.searchsorted(): sorter must be a tensor of long dtype but got dtype ",
                by.scalar_type());
  }
  at::native::searchsorted_pre_check(sorted, values, out, out_int32, right, side, {});
  const at::ScalarType type = at::result_type(sorted, values);
  need_dtype(type);
  if (type == at::kBool) throw Declined("a search among bool");
  at::native::resize_output(out, values.sizes());
  if (out.numel() == 0) return out;
  if (sorted.numel() == 0) return out.zero_();
  const at::Tensor rows = sorted.to(type), wanted = values.to(type);
  const at::Tensor v = rows.dim() == 1 ? wanted.reshape({wanted.numel()}) : wanted;
  const at::Tensor to = at::empty(v.sizes(), out.options().dtype(at::kLong));
  onc_search_sorted_attrs attrs{};
  attrs.right = side ? *side == "right" : right;
  Op op(ONC_OP_SEARCH_SORTED);
  op.in(in_ref(rows)).in(in_ref(v));
  maybe_in(op, by).out(out_ref(to)).attrs(attrs);
  run(op, out.device().index());
  out.copy_(to.view(out.sizes()));
  return out;
}
at::Tensor search(const at::Tensor& sorted, const at::Tensor& values, bool out_int32, bool right,
                  std::optional<c10::string_view> side, const std::optional<at::Tensor>& sorter) {
  at::Tensor out = at::empty({0}, sorted.options().dtype(out_int32 ? at::kInt : at::kLong));
  return search_out(sorted, values, out_int32, right, side, sorter, out);
}
at::Tensor search_number(const at::Tensor& sorted, const at::Scalar& value, bool out_int32, bool right,
                         std::optional<c10::string_view> side, const std::optional<at::Tensor>& sorter) {
  return search(sorted, at::native::searchsorted_scalar_tensor(value, sorted.device()), out_int32, right, side, sorter);
}
at::Tensor& bucket_out(const at::Tensor& self, const at::Tensor& boundaries, bool out_int32, bool right, at::Tensor& out) {
  TORCH_CHECK(boundaries.dim() == 1, "boundaries tensor must be 1 dimension, but got dim(", boundaries.dim(), ")");
  return search_out(boundaries, self, out_int32, right, std::nullopt, std::nullopt, out);
}
at::Tensor bucket(const at::Tensor& self, const at::Tensor& boundaries, bool out_int32, bool right) {
  at::Tensor out = at::empty({0}, boundaries.options().dtype(out_int32 ? at::kInt : at::kLong));
  return bucket_out(self, boundaries, out_int32, right, out);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::cumsum_out, running<at::meta::structured_cumsum, ONC_SCAN_SUM>>(m);
  kernel<at::_ops::cumprod_out, running<at::meta::structured_cumprod, ONC_SCAN_PROD>>(m);
  kernel<at::_ops::_cummax_helper, running_extreme<ONC_SCAN_MAX>>(m);
  kernel<at::_ops::_cummin_helper, running_extreme<ONC_SCAN_MIN>>(m);
  kernel<at::_ops::_logcumsumexp, log_cum_sum_exp>(m);
  kernel<at::_ops::_logcumsumexp_out, log_cum_sum_exp_out>(m);
  kernel<at::_ops::sort_values_stable, sort>(m);
  kernel<at::_ops::topk_values, top_k>(m);
  kernel<at::_ops::searchsorted_Tensor, search>(m);
  kernel<at::_ops::searchsorted_Tensor_out, search_out>(m);
  kernel<at::_ops::searchsorted_Scalar, search_number>(m);
  kernel<at::_ops::bucketize_Tensor, bucket>(m);
  kernel<at::_ops::bucketize_Tensor_out, bucket_out>(m);
}

}  // namespace oncilla::adapter
