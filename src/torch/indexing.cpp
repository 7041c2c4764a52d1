// Helpers of the ops by index: ops/{select,scatter,mask}.cpp.
#include "torch/indexing.hpp"

#include <ATen/ops/empty.h>

#include "torch/spatial.hpp"

namespace oncilla::adapter {

at::Tensor as_long(const at::Tensor& index) { return index.scalar_type() == at::kLong ? index : index.to(at::kLong); }
at::Tensor some_dim(const at::Tensor& tensor) { return tensor.dim() == 0 ? tensor.unsqueeze(0) : tensor; }
bool shares_memory(const at::Tensor& a, const at::Tensor& b) { return a.numel() > 0 && b.numel() > 0 && a.is_alias_of(b); }

void check_same_device(const at::Tensor& a, const at::Tensor& b) {
  TORCH_CHECK(a.device() == b.device(), "Expected all tensors to be on the same device, but found at least two devices, ",
              a.device(), " and ", b.device(), "!");
}

at::Tensor along(const at::Tensor& index, int64_t axis, at::IntArrayRef sizes) {
  std::vector<int64_t> shape(sizes.size(), 1);
  shape[static_cast<size_t>(axis)] = index.numel();
  return index.reshape(shape).expand(sizes);
}

// Up to here a kernel that reduces beside its stores, with one work-group, costs about what one that only stores does; above, the
// index has a reduction of its own, which spreads over the device.
static constexpr int64_t kWatchedInside = 1024;

void run_index_tape(IndexTape made, const at::Tensor& table, at::ArrayRef<at::Tensor> indices, const at::Tensor& out,
                    const IndexRange* range) {
  std::optional<IndexWatch> watch;
  if (range != nullptr && out.numel() <= kWatchedInside) {
    if (checks_indices()) watch.emplace(out.device().index(), *range);
  } else if (range != nullptr) {
    check_index(*range, indices[0]);
  }
  const at::Tensor flat = table.view({table.numel()});
  Op op(ONC_OP_EXPR);
  op.in(in_ref(flat));
  for (const at::Tensor& index : indices) op.in(in_ref(index));
  op.out(out_ref(out));
  if (watch) watch->add(op, made.tape, Value(&made.tape, made.indices[0], ONC_I64));
  op.tape(made.tape, made.dims, watch ? static_cast<uint32_t>(made.dims.size()) : 0);
  for (const onc_scalar& size : made.scalars) op.scalar_int(size.i);
  run(op, out.device().index());
  if (watch) watch->enqueued();
}

void read_rows(const at::Tensor& self, int64_t axis, const at::Tensor& index, const at::Tensor& out, bool wrap,
               const IndexRange* range) {
  check_same_device(self, index);
  if (out.numel() == 0) return;
  TORCH_CHECK_INDEX(self.size(axis) > 0, "index out of range in self");
  const at::Tensor table = self.contiguous();
  const Dense to(out);
  const std::span<const int64_t> sizes(table.sizes().data(), table.sizes().size());
  IndexTape made = oncilla::index_select(need_dtype(self.scalar_type()), sizes, static_cast<uint32_t>(axis), index.numel(), wrap);
  const std::vector<int64_t> dims = made.dims;
  run_index_tape(std::move(made), table, along(index, 1, dims), to.to.view(dims), range);
  to.finish();
}

void scatter_into(const at::Tensor& self, int64_t axis, const at::Tensor& index, const at::Tensor& src, uint32_t reduce,
                  bool include_self, const at::Tensor& y) {
  onc_scatter_attrs attrs{};
  attrs.axis = static_cast<uint32_t>(axis);
  attrs.reduce = reduce;
  attrs.include_self = include_self;
  Op op(ONC_OP_SCATTER);
  maybe_in(op, self).in(in_ref(index)).in(in_ref(src)).out(out_ref(y)).attrs(attrs);
  run(op, y.device().index());
}

namespace {
// COMPACT: positions, and how many there are.
std::pair<at::Tensor, at::Tensor> compact(const at::Tensor& mask) {
  const at::Tensor bits = mask.scalar_type() == at::kBool ? mask : mask.ne(0);
  const at::Tensor flat = bits.contiguous().view({mask.numel()});
  const at::Tensor index = at::empty({mask.numel()}, mask.options().dtype(at::kLong)), count = at::empty({}, index.options());
  Op op(ONC_OP_COMPACT);
  op.in(in_ref(flat)).out(out_ref(index)).out(out_ref(count));
  run(op, mask.device().index());
  return {index, count};
}
}  // namespace

at::Tensor true_positions(const at::Tensor& mask) {
  if (mask.numel() == 0) return at::empty({0}, mask.options().dtype(at::kLong));
  const auto [index, count] = compact(mask);
  return index.narrow(0, 0, count.item<int64_t>());
}
at::Tensor first_positions(const at::Tensor& mask, int64_t count) {
  if (mask.numel() == 0) return at::empty({0}, mask.options().dtype(at::kLong));
  return compact(mask).first.narrow(0, 0, count);
}

}  // namespace oncilla::adapter
