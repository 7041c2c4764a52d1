// Advanced indexing: x[i, :, j], x[mask], and writing there. The index tensors become one list of positions among the dims that
// they index, so that reading is a selection along one dim, and writing one SCATTER, which is deterministic with accumulate too.
#include "torch/kernel.hpp"

#include <ATen/ExpandUtils.h>
#include <ATen/MemoryOverlap.h>
#include <ATen/native/IndexingUtils.h>
#include <ATen/native/Resize.h>
#include <ATen/native/TensorAdvancedIndexingUtils.h>
#include <ATen/ops/_index_put_impl_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_ops.h>
#include <ATen/ops/put_ops.h>

#include <algorithm>
#include <deque>

#include "torch/indexing.hpp"
#include "torch/spatial.hpp"

namespace oncilla::adapter {
namespace {

using Indices = c10::List<std::optional<at::Tensor>>;

// Row-major positions of index tuples within the ranges' sizes; -1, which touches nothing, where one of them is outside. A range
// without an op is one of an index that cannot be wrong.
at::Tensor linear(at::ArrayRef<at::Tensor> indices, at::ArrayRef<IndexRange> ranges) {
  const at::Tensor out = at::empty(indices[0].sizes(), indices[0].options());
  if (out.numel() == 0) return out;
  Tape tape;
  Op op(ONC_OP_EXPR);
  Value position, inside;
  std::vector<Value> all;
  for (size_t d = 0; d < indices.size(); ++d) {
    op.in(in_ref(indices[d]));
    const Value given = tape.input(ONC_I64), size = tape.scalar(ONC_I64), zero = tape.constant_int(ONC_I64, 0);
    const Value at = where(lt(given, zero), given + size, given), fits = logical_and(ge(at, zero), lt(at, size));
    all.push_back(given);
    position = d == 0 ? at : position * size + at;
    inside = d == 0 ? fits : logical_and(inside, fits);
  }
  tape.output(where(inside, position, tape.constant_int(ONC_I64, -1)));
  const TensorRef to = out_ref(out);
  op.out(to);
  std::deque<IndexWatch> watches;
  for (size_t d = 0; d < ranges.size(); ++d) {
    if (ranges[d].op != nullptr && checks_indices()) watches.emplace_back(out.device().index(), ranges[d]).add(op, tape, all[d]);
  }
  op.tape(tape, to.dims, watches.empty() ? 0 : static_cast<uint32_t>(to.dims.size()));
  for (const IndexRange& range : ranges) op.scalar_int(range.size);
  run(op, out.device().index());
  for (IndexWatch& watch : watches) watch.enqueued();
  return out;
}

// What an indexing means: self as [outer, length, inner], positions in the middle dim, and the result's sizes.
struct Picked {
  at::Tensor self;                  // the indexed dims adjacent
  std::vector<at::Tensor> indices;  // int64 [m]
  std::vector<IndexRange> ranges;   // of the indexed dims
  std::vector<int64_t> shape;
  int64_t outer = 1, length = 1, inner = 1, m = 1;

  at::Tensor positions() const { return linear(indices, ranges); }
};

void check_count(const at::Tensor& self, size_t count) {
  TORCH_CHECK_INDEX(count <= static_cast<size_t>(self.dim()), "too many indices for tensor of dimension ", self.dim(), " (got ",
                    count, ")");
}

// Which dims are indexed by numbers. A mask's dims are not: its positions were counted, and cannot be wrong.
std::vector<int64_t> numbered_dims(const Indices& given) {
  std::vector<int64_t> out;
  int64_t d = 0;
  for (const std::optional<at::Tensor>& i : given) {
    const bool mask = i && i->defined() && (i->scalar_type() == at::kBool || i->scalar_type() == at::kByte);
    if (i && i->defined() && !mask) out.push_back(d);
    d += mask ? i->dim() : 1;
  }
  return out;
}

Picked pick(const char* op, const at::Tensor& whole, const Indices& given) {
  check_count(whole, given.size());
  at::native::checkIndexTensorTypes(given, true);
  for (const std::optional<at::Tensor>& i : given) {
    TORCH_CHECK(!i || !i->defined() || i->is_cpu() || i->device() == whole.device(),
                "indices should be either on cpu or on the same device as the indexed tensor (", whole.device(), "), not on ",
                i->device());
  }
  std::vector<at::Tensor> indices = at::native::expandTensors(whole, given, true);
  check_count(whole, indices.size());  // a mask counts as many as it has dims
  try {
    indices = at::expand_outplace(indices);
  } catch (const c10::Error&) {
    TORCH_CHECK_INDEX(false, "shape mismatch: indexing tensors could not be broadcast together with shapes ",
                      at::native::shapes_as_str(indices));
  }
  indices.resize(static_cast<size_t>(whole.dim()));
  // In the order of the dims, which moving the indexed dims to the front leaves as it is.
  const std::vector<int64_t> numbered = numbered_dims(given);
  std::vector<IndexRange> ranges;
  for (size_t d = 0; d < indices.size(); ++d) {
    const auto dim = static_cast<int64_t>(d);
    const bool checked = std::find(numbered.begin(), numbered.end(), dim) != numbered.end();
    if (indices[d].defined()) ranges.push_back({checked ? op : nullptr, dim, whole.size(dim), true});
  }

  Picked out;
  out.self = whole;
  if (!at::native::hasContiguousSubspace(indices)) std::tie(out.self, indices) = at::native::transposeToFront(whole, indices);
  for (size_t d = 0; d < indices.size(); ++d) {
    const int64_t size = out.self.size(static_cast<int64_t>(d));
    if (!indices[d].defined()) {
      out.shape.push_back(size);
      (out.indices.empty() ? out.outer : out.inner) *= size;
      continue;
    }
    if (out.indices.empty()) {
      out.m = indices[d].numel();
      for (const int64_t n : indices[d].sizes()) out.shape.push_back(n);
    }
    TORCH_CHECK_INDEX(size > 0 || out.m == 0, "index is out of bounds for dimension with size 0");
    out.indices.push_back(as_long(indices[d]).reshape({out.m}));
    out.length *= size;
  }
  out.ranges = std::move(ranges);
  if (out.indices.empty()) throw Declined("an indexing without indices");
  return out;
}

void read(const Picked& p, const at::Tensor& out) {
  if (out.numel() == 0) return;
  const Dense to(out);
  const at::Tensor table = p.self.contiguous().view({p.outer, p.length, p.inner});
  const bool one = p.indices.size() == 1;
  const IndexRange* range = one && p.ranges[0].op != nullptr ? &p.ranges[0] : nullptr;
  read_rows(table, 1, one ? p.indices[0] : p.positions(), to.to.view({p.outer, p.m, p.inner}), one, range);
  to.finish();
}

at::Tensor index(const at::Tensor& self, const Indices& indices) {
  need_dtype(self.scalar_type());
  const Picked p = pick("index", self, indices);
  const at::Tensor out = at::empty(p.shape, self.options());
  read(p, out);
  return out;
}
at::Tensor& index_out(const at::Tensor& self, const Indices& indices, at::Tensor& out) {
  need_dtype(self.scalar_type());
  TORCH_CHECK(out.scalar_type() == self.scalar_type(), "index_out: self (", self.scalar_type(), ") and result (", out.scalar_type(),
              ") must have the same scalar type");
  check_same_device(self, out);
  at::assert_no_internal_overlap(out);
  at::assert_no_overlap(out, self);
  for (const std::optional<at::Tensor>& i : indices) {
    if (i && i->defined()) at::assert_no_overlap(out, *i);
  }
  const Picked p = pick("index", self, indices);
  at::native::resize_output(out, p.shape);
  read(p, out);
  return out;
}

at::Tensor& index_put(at::Tensor& self, const Indices& indices, const at::Tensor& values, bool accumulate, bool) {
  need_dtype(self.scalar_type());
  check_count(self, indices.size());
  TORCH_CHECK(self.scalar_type() == values.scalar_type(), "Index put requires the source and destination dtypes match, got ",
              self.scalar_type(), " for the destination and ", values.scalar_type(), " for the source.");
  if (at::has_internal_overlap(self) == at::MemOverlap::Yes) throw Declined("index_put_ into memory that overlaps itself");
  if (!accumulate) {  // one number where a mask says: the host need not wait for the mask
    const auto [fills, mask] = at::native::canDispatchToMaskedFill(self, indices, values);
    if (fills && mask.defined() && mask.scalar_type() == at::kBool) return self.masked_fill_(mask, values.item());
  }
  const at::Tensor from = values.dim() == 0 ? values.to(self.device()) : values;
  check_same_device(self, from);
  at::assert_no_overlap(self, from);
  for (const std::optional<at::Tensor>& i : indices) {
    if (i && i->defined()) at::assert_no_overlap(self, *i);
  }
  const Picked p = pick("index_put", self, indices);
  TORCH_CHECK(at::is_expandable_to(from.sizes(), at::IntArrayRef(p.shape)), "shape mismatch: value tensor of shape ", from.sizes(),
              " cannot be broadcast to indexing result of shape ", at::IntArrayRef(p.shape));
  if (p.m == 0 || self.numel() == 0) return self;
  const std::array<int64_t, 3> sizes{p.outer, p.m, p.inner};
  const at::Tensor src = from.numel() == 1 ? from.reshape({1, 1, 1}).expand(sizes) : from.expand(p.shape).reshape(sizes);
  const at::Tensor dense = p.self.contiguous(), y = dense.view({p.outer, p.length, p.inner});
  scatter_into(y, 1, along(p.positions(), 1, sizes), src, accumulate ? ONC_SCATTER_SUM : ONC_SCATTER_ASSIGN, true, y);
  if (!dense.is_same(p.self)) p.self.copy_(dense);
  return self;
}

at::Tensor& put(at::Tensor& self, const at::Tensor& index, const at::Tensor& source, bool accumulate) {
  need_dtype(self.scalar_type());
  TORCH_CHECK(index.scalar_type() == at::kLong, "put_(): Expected a long tensor for index, but got ", index.scalar_type());
  TORCH_CHECK(self.scalar_type() == source.scalar_type(),
              "put_(): self and source expected to have the same dtype, but got self.dtype = ", self.scalar_type(),
              " and source.dtype = ", source.scalar_type());
  check_same_device(self, index);
  check_same_device(self, source);
  TORCH_CHECK_INDEX(source.numel() == index.numel(),
                    "put_(): Expected source and index to have the same number of elements, but got "
                    "source.numel() = ",
                    source.numel(), ", index.numel() = ", index.numel());
  TORCH_CHECK_INDEX(self.numel() > 0 || index.numel() == 0, "put_(): Tried to put elements into an empty tensor");
  at::assert_no_internal_overlap(self);
  at::assert_no_overlap(self, index);
  at::assert_no_overlap(self, source);
  if (index.numel() == 0) return self;
  const int64_t numel = self.numel(), m = index.numel();
  const at::Tensor dense = self.contiguous(), y = dense.view({numel});
  const at::Tensor at = linear(index.reshape({m}), IndexRange{"put", kFlat, numel, true});
  scatter_into(y, 0, at, source.reshape({m}), accumulate ? ONC_SCATTER_SUM : ONC_SCATTER_ASSIGN, true, y);
  if (!dense.is_same(self)) self.copy_(dense);
  return self;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::index_Tensor, index>(m);
  kernel<at::_ops::index_Tensor_out, index_out>(m);
  kernel<at::_ops::_index_put_impl_, index_put>(m);
  kernel<at::_ops::put_, put>(m);
}

}  // namespace oncilla::adapter
