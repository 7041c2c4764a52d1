// Triangles: of a matrix, and the positions in one.
#include "torch/kernel.hpp"

#include <ATen/native/Resize.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tril.h>
#include <ATen/ops/tril_indices_ops.h>
#include <ATen/ops/tril_ops.h>
#include <ATen/ops/triu.h>
#include <ATen/ops/triu_indices_ops.h>
#include <ATen/ops/triu_ops.h>

#include "torch/tensor.hpp"

namespace oncilla::adapter {
namespace {

// Keeps what lies on one side of a diagonal of the last two dims.
template <bool kUpper>
void triangle(const at::Tensor& self, int64_t diagonal, const at::Tensor& out) {
  TORCH_CHECK(self.dim() >= 2, kUpper ? "triu" : "tril", ": input tensor must have at least 2 dimensions");
  if (out.numel() == 0) return;
  const TensorRef in = in_ref(self), to = out_ref(out);
  Tape tape;
  const Value value = tape.input(in.dtype);
  const auto rank = static_cast<uint32_t>(self.dim());
  const Value distance = tape.coord(rank - 1) - tape.coord(rank - 2), edge = tape.scalar(ONC_I64);
  const Value zero =
      value.dtype == ONC_F32 || value.dtype == ONC_F64 ? tape.constant(value.dtype, 0) : tape.constant_int(value.dtype, 0);
  tape.output(where(kUpper ? ge(distance, edge) : le(distance, edge), value, zero));
  Op op(ONC_OP_EXPR);
  op.in(in).out(to).tape(tape, in.dims).scalar_int(diagonal);
  run(op, self.device().index());
}
template <bool kUpper>
at::Tensor triangle_of(const at::Tensor& self, c10::SymInt diagonal) {
  const at::Tensor out = at::empty(self.sizes(), self.options());
  triangle<kUpper>(self, diagonal.guard_int(__FILE__, __LINE__), out);
  return out;
}
template <bool kUpper>
at::Tensor& triangle_out(const at::Tensor& self, c10::SymInt diagonal, at::Tensor& out) {
  at::native::resize_output(out, self.sizes());
  if (out.is_same(self) || !out.storage().is_alias_of(self.storage())) {
    triangle<kUpper>(self, diagonal.guard_int(__FILE__, __LINE__), out);
  } else {
    out.copy_(triangle_of<kUpper>(self, diagonal));
  }
  return out;
}

// Rows and columns of a triangle's elements. As many as the device finds, which the host waits for.
template <bool kUpper>
at::Tensor triangle_positions(int64_t rows, int64_t columns, int64_t offset, std::optional<at::ScalarType> dtype,
                              std::optional<at::Layout> layout, std::optional<at::Device> device, std::optional<bool> pinned) {
  TORCH_CHECK(rows >= 0, "row must be non-negative, got", rows);
  TORCH_CHECK(columns >= 0, "col must be non-negative, got", columns);
  const auto type = dtype.value_or(at::kLong);
  TORCH_CHECK(type == at::kLong || type == at::kInt, "\"", kUpper ? "triu" : "tril", "_indices\" not implemented for '", type, "'");
  const at::Tensor all = at::ones({rows, columns}, at::kByte, layout, device, pinned);
  return (kUpper ? at::triu(all, offset) : at::tril(all, offset)).nonzero().t().to(type).contiguous();
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::tril, triangle_of<false>>(m);
  kernel<at::_ops::triu, triangle_of<true>>(m);
  kernel<at::_ops::tril_out, triangle_out<false>>(m);
  kernel<at::_ops::triu_out, triangle_out<true>>(m);
  kernel<at::_ops::tril_indices, triangle_positions<false>>(m);
  kernel<at::_ops::triu_indices, triangle_positions<true>>(m);
}

}  // namespace oncilla::adapter
