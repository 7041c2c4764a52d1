// What a mask selects: nonzero, masked_select, masked_scatter. The size of the first two is data: the host waits for it, but not in
// nonzero_static, where the caller says it.
#include "torch/kernel.hpp"

#include <ATen/ExpandUtils.h>
#include <ATen/MemoryOverlap.h>
#include <ATen/native/Resize.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/masked_scatter_ops.h>
#include <ATen/ops/masked_select_ops.h>
#include <ATen/ops/nonzero_ops.h>
#include <ATen/ops/nonzero_static_ops.h>

#include <algorithm>

#include "torch/indexing.hpp"

namespace oncilla::adapter {
namespace {

// Column d of out: coordinate d of each row-major position.
void coordinates(const at::Tensor& positions, at::IntArrayRef sizes, const at::Tensor& out) {
  if (out.numel() == 0) return;
  const size_t rank = sizes.size();
  Tape tape;
  std::vector<Value> column(rank);
  std::vector<int64_t> scalars;
  Value rest = tape.input(ONC_I64);
  for (size_t d = rank - 1; d > 0; --d) {
    const Value size = tape.scalar(ONC_I64), before = trunc_div(rest, size);
    scalars.push_back(sizes[d]);
    column[d] = rest - before * size;
    rest = before;
  }
  column[0] = rest;
  std::vector<at::Tensor> to;
  for (size_t d = 0; d < rank; ++d) to.push_back(out.select(1, static_cast<int64_t>(d)));
  Op op(ONC_OP_EXPR);
  const TensorRef in = in_ref(positions);
  op.in(in);
  for (size_t d = 0; d < rank; ++d) {
    tape.output(column[d]);
    op.out(out_ref(to[d]));
  }
  op.tape(tape, in.dims);
  for (const int64_t size : scalars) op.scalar_int(size);
  run(op, out.device().index());
}

at::Tensor& nonzero_out(const at::Tensor& self, at::Tensor& out) {
  need_dtype(self.scalar_type());
  TORCH_CHECK(out.scalar_type() == at::kLong, "nonzero(): Expected out tensor to have scalar type Long but got scalar type",
              out.scalar_type());
  check_same_device(self, out);
  at::assert_no_internal_overlap(out);
  at::assert_no_overlap(out, self);
  const at::Tensor positions = true_positions(self);
  at::native::resize_output(out, {positions.numel(), self.dim()});
  coordinates(positions, self.sizes(), out);
  return out;
}
at::Tensor nonzero(const at::Tensor& self) {
  at::Tensor out = at::empty({0}, self.options().dtype(at::kLong));
  return nonzero_out(self, out);
}

// The first `size` of them, and the fill value where there are fewer.
at::Tensor& nonzero_static_out(const at::Tensor& self, c10::SymInt sym_size, int64_t fill, at::Tensor& out) {
  const int64_t size = sym_size.guard_int(__FILE__, __LINE__);
  need_dtype(self.scalar_type());
  TORCH_CHECK(size >= 0, "nonzero_static: 'size' must be an non-negative integer");
  TORCH_CHECK(out.scalar_type() == at::kLong, "nonzero_static: Expected out tensor to have scalar type Long but got scalar type",
              out.scalar_type());
  check_same_device(self, out);
  at::native::resize_output(out, {size, self.dim()});
  if (out.numel() == 0) return out;
  const int64_t found = std::min(size, self.numel());
  out.narrow(0, found, size - found).fill_(fill);
  const at::Tensor positions = first_positions(self, found), to = out.narrow(0, 0, found);
  coordinates(positions, self.sizes(), to);
  to.masked_fill_(positions.ge(self.numel()).unsqueeze(1), fill);
  return out;
}
at::Tensor nonzero_static(const at::Tensor& self, c10::SymInt size, int64_t fill) {
  at::Tensor out = at::empty({0}, self.options().dtype(at::kLong));
  return nonzero_static_out(self, std::move(size), fill, out);
}

at::Tensor& masked_select_out(const at::Tensor& self, const at::Tensor& mask, at::Tensor& out) {
  need_dtype(self.scalar_type());
  TORCH_CHECK(mask.scalar_type() == at::kBool, "masked_select: expected BoolTensor for mask");
  TORCH_CHECK(out.scalar_type() == self.scalar_type(), "masked_select(): self and result must have the same scalar type");
  check_same_device(self, mask);
  check_same_device(self, out);
  at::assert_no_internal_overlap(out);
  at::assert_no_overlap(out, self);
  at::assert_no_overlap(out, mask);
  const auto [wide_mask, wide_self] = at::expand_outplace(mask, self);
  const at::Tensor positions = true_positions(*wide_mask), values = wide_self->contiguous();
  at::native::resize_output(out, positions.sizes());
  read_rows(values.view({values.numel()}), 0, positions, out, false, nullptr);
  return out;
}
at::Tensor masked_select(const at::Tensor& self, const at::Tensor& mask) {
  at::Tensor out = at::empty({0}, self.options());
  return masked_select_out(self, mask, out);
}

// A source with too few elements, which the CPU refuses, gives NaN or 0 (indexing.hpp).
at::Tensor& masked_scatter(at::Tensor& self, const at::Tensor& mask, const at::Tensor& source) {
  const uint32_t dtype = need_dtype(self.scalar_type());
  TORCH_CHECK(self.scalar_type() == source.scalar_type(),
              "masked_scatter: expected self and source to have same dtypes but got self as ", self.scalar_type(),
              " and source as ", source.scalar_type());
  TORCH_CHECK(mask.scalar_type() == at::kBool, "masked_scatter_ only supports boolean masks, but got mask with dtype ",
              mask.scalar_type());
  check_same_device(self, mask);
  check_same_device(self, source);
  at::assert_no_internal_overlap(self);
  const auto expanded = at::expand_inplace(self, mask, "masked_scatter_");
  if (self.numel() == 0) return self;
  if (source.numel() == 0) {
    TORCH_CHECK(!mask.any().item<bool>(), "masked_scatter: expected self and source to have same number of elements");
    return self;
  }
  // How many trues stand before each element: the number of its source.
  const at::Tensor ones = expanded->to(at::kLong).contiguous().view({self.numel()}),
                   before = at::empty(ones.sizes(), ones.options());
  onc_scan_attrs attrs{};
  attrs.kind = ONC_SCAN_SUM;
  attrs.exclusive = 1;
  Op count(ONC_OP_SCAN);
  count.in(in_ref(ones)).out(out_ref(before)).no_out().attrs(attrs);
  run(count, self.device().index());

  const at::Tensor from = shares_memory(self, source) ? source.clone() : source;
  const at::Tensor table = from.reshape({from.numel()}).contiguous(), rank = before.view(self.sizes());
  const Tape tape = oncilla::masked_scatter(dtype);
  const TensorRef to = out_ref(self);
  Op op(ONC_OP_EXPR);
  op.in(to).in(in_ref(*expanded)).in(in_ref(rank)).in(in_ref(table)).out(to).tape(tape, to.dims);
  run(op, self.device().index());
  return self;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::nonzero, nonzero>(m);
  kernel<at::_ops::nonzero_out, nonzero_out>(m);
  kernel<at::_ops::nonzero_static, nonzero_static>(m);
  kernel<at::_ops::nonzero_static_out, nonzero_static_out>(m);
  kernel<at::_ops::masked_select, masked_select>(m);
  kernel<at::_ops::masked_select_out, masked_select_out>(m);
  kernel<at::_ops::masked_scatter_, masked_scatter>(m);
}

}  // namespace oncilla::adapter
