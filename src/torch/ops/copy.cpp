// Copies: host to device, back, and on the device between any strides and dtypes; conjugate and negative views are resolved on the
// way. Same dtype moves bits, whatever they mean, so that dtypes without kernels (complex, float8) can be stored, moved and saved.
#include "torch/copy.hpp"

#include <ATen/MemoryOverlap.h>
#include <ATen/TensorIterator.h>
#include <ATen/native/Resize.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/resize_as.h>
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "torch/host_allocator.hpp"
#include "torch/index_check.hpp"
#include "torch/pointwise.hpp"

namespace oncilla::adapter {
namespace {

// An integer dtype of the same size, to move bits. 16 bytes move as two words.
uint32_t bits_dtype(size_t bytes) {
  switch (bytes) {
    case 1:
      return ONC_U8;
    case 2:
      return ONC_I16;
    case 4:
      return ONC_I32;
    default:
      return ONC_I64;
  }
}

bool flipped(const at::Tensor& tensor) { return tensor.is_conj() || tensor.is_neg(); }

// A tensor as real numbers with a last dim for the parts of an element (2 for complex, 1 word or more for bits).
struct Parts {
  c10::SmallVector<int64_t, 8> dims, strides;
  TensorRef ref;
};
Parts parts(const at::Tensor& tensor, const void* address, uint32_t dtype, int64_t count) {
  Parts out;
  out.dims.append(tensor.sizes().begin(), tensor.sizes().end());
  for (int64_t stride : tensor.strides()) out.strides.push_back(stride * count);
  if (count > 1) {
    out.dims.push_back(count);
    out.strides.push_back(1);
  }
  out.ref = {place(address), dtype, {out.dims.data(), out.dims.size()}, {out.strides.data(), out.strides.size()}};
  return out;
}

// Same dtype, same sizes, any strides.
void move_bits(const at::Tensor& dst, const at::Tensor& src) {
  const size_t size = dst.element_size();
  const bool real_sign = src.is_neg() != dst.is_neg(), imaginary_sign = real_sign != (src.is_conj() != dst.is_conj());
  const bool changes = real_sign || imaginary_sign;
  const int64_t count = dst.is_complex() && (changes || size == 16) ? 2 : static_cast<int64_t>((size + 7) / 8);
  const uint32_t dtype = !changes           ? bits_dtype(size / static_cast<size_t>(count))
                         : dst.is_complex() ? (size == 16 ? uint32_t{ONC_F64} : uint32_t{ONC_F32})
                                            : need_dtype(dst.scalar_type());
  if (dst.is_complex() && changes && size == 4) throw Declined("a conjugate of complex32");
  const Parts from = parts(
      src, src.storage().data() == nullptr ? nullptr : static_cast<const char*>(src.storage().data()) + src.storage_offset() * size,
      dtype, count);
  const Parts to = parts(dst, static_cast<char*>(dst.storage().mutable_data()) + dst.storage_offset() * size, dtype, count);
  // Broadcasting dims have stride 0 on both sides of the copy already: src was expanded to dst's sizes.
  Tape tape;
  Value value = tape.input(dtype);
  if (real_sign && imaginary_sign) {
    value = -value;
  } else if (changes) {
    const Value part = tape.coord(static_cast<uint32_t>(to.dims.size() - 1));
    value = where(eq(part, tape.constant_int(ONC_I64, imaginary_sign ? 1 : 0)), -value, value);
  }
  tape.output(value);
  Op op(ONC_OP_EXPR);
  op.in(from.ref).out(to.ref).tape(tape, to.ref.dims);
  run(op, dst.device().index());
}

bool same_layout(const at::Tensor& a, const at::Tensor& b) {
  return a.is_non_overlapping_and_dense() && a.strides() == b.strides() && a.sizes() == b.sizes();
}

const void* begin_of(const at::Tensor& t) {
  const char* base = static_cast<const char*>(t.storage().data());
  return base == nullptr ? nullptr : base + t.storage_offset() * static_cast<int64_t>(t.element_size());
}
void* begin_of_mutable(const at::Tensor& t) {
  char* base = static_cast<char*>(t.storage().mutable_data());
  return base == nullptr ? nullptr : base + t.storage_offset() * static_cast<int64_t>(t.element_size());
}

void on_device(const at::Tensor& dst, const at::Tensor& src) {
  if (dst.scalar_type() == src.scalar_type()) {
    const bool changes = dst.is_conj() != src.is_conj() || dst.is_neg() != src.is_neg();
    if (!changes && same_layout(dst, src)) {
      // The driver refuses a copy onto itself; a copy onto the same bytes is done already.
      if (begin_of(dst) == begin_of(src)) return;
      if (!dst.storage().is_alias_of(src.storage())) {
        void* to = begin_of_mutable(dst);
        translated([&] { queue_of(dst.device().index())->copy_d2d(place(to), place(begin_of(src)), dst.nbytes()); });
        return;
      }
    }
    at::assert_no_internal_overlap(dst);
    at::assert_no_partial_overlap(dst, src);
    move_bits(dst, src);
    return;
  }
  if (dst.is_complex() || src.is_complex() || onc_dtype(dst.scalar_type()) == 0 || onc_dtype(src.scalar_type()) == 0) {
    // A conversion that no kernel does: through the host.
    copy_tensor(dst, src.cpu().to(dst.scalar_type()), false);
    return;
  }
  auto iter = at::TensorIteratorConfig()
                  .add_output(dst)
                  .add_const_input(src)
                  .resize_outputs(false)
                  .check_all_same_dtype(false)
                  .check_all_same_device(true)
                  .build();
  // A tape's store converts; a negative view is the one flag that real tensors can have.
  const bool negate = dst.is_neg() != src.is_neg();
  pointwise(iter, src.scalar_type(), {}, [&](Ctx& ctx) { return negate ? -ctx.raw(0) : ctx.raw(0); });
}

// Non-blocking copies are asynchronous where the host's side is pinned: its allocator keeps the memory until they are done.
// Callers may free or change other memory at once, so that it is copied aside, or waited for, before the call returns.
bool asynchronous(bool non_blocking, const void* host) { return non_blocking && is_pinned(host); }

void to_device(const at::Tensor& dst, const at::Tensor& src, bool non_blocking) {
  const at::Tensor plain = src.resolve_conj().resolve_neg();
  if (dst.is_non_overlapping_and_dense() && !flipped(dst)) {
    at::Tensor host = plain;
    if (plain.scalar_type() != dst.scalar_type() || plain.strides() != dst.strides() || plain.sizes() != dst.sizes()) {
      host = at::empty_strided(dst.sizes(), dst.strides(), plain.options().dtype(dst.scalar_type()).pinned_memory(false));
      host.copy_(plain);
    }
    void* to = begin_of_mutable(dst);
    const void* from = begin_of(host);
    const bool async = asynchronous(non_blocking, from);
    const uint32_t flags = async ? ONC_COPY_UNTIL_EVENT : ONC_COPY_UNTIL_RETURN;
    translated([&] { queue_of(dst.device().index())->copy_h2d(place(to), from, dst.nbytes(), flags); });
    if (async) use_pinned(from, current_stream(dst.device().index()));
    return;
  }
  const at::Tensor staged = at::empty(dst.sizes(), dst.options());
  to_device(staged, plain.expand(dst.sizes()), non_blocking);
  on_device(dst, staged);
}

void to_host(const at::Tensor& dst, const at::Tensor& src, bool non_blocking) {
  at::Tensor dense = src;
  if (!src.is_non_overlapping_and_dense() || flipped(src)) {
    dense = at::empty(src.sizes(), src.options());
    on_device(dense, src);
  }
  const bool direct =
      dst.scalar_type() == dense.scalar_type() && dst.strides() == dense.strides() && dst.sizes() == dense.sizes() && !flipped(dst);
  const at::Tensor host = direct ? dst : at::empty_strided(dense.sizes(), dense.strides(), dense.options().device(c10::kCPU));
  void* to = begin_of_mutable(host);
  const bool async = direct && asynchronous(non_blocking, to);
  const uint32_t flags = async ? ONC_COPY_UNTIL_EVENT : ONC_COPY_UNTIL_RETURN;
  const c10::Stream stream = current_stream(src.device().index());
  const IndexMark mark = async ? IndexMark{} : mark_indices(stream);
  translated([&] { queue_of(stream)->copy_d2h(to, place(begin_of(dense)), host.nbytes(), flags); });
  if (async) {
    use_pinned(to, stream);
  } else {
    raise_indices(src.device().index(), mark);
  }
  if (!direct) dst.copy_(host);
}

at::Tensor copy_from(const at::Tensor& self, const at::Tensor& dst, bool non_blocking) {
  copy_tensor(dst, self, non_blocking);
  return dst;
}

at::Tensor copy_from_and_resize(const at::Tensor& self, const at::Tensor& dst) {
  if (self.sizes() != dst.sizes()) dst.resize_(self.sizes());
  copy_tensor(dst, self, false);
  return dst;
}

// A copy by another name; PyTorch composes the functional overload only.
at::Tensor& narrow_copy_out(const at::Tensor& self, int64_t dim, c10::SymInt start, c10::SymInt length, at::Tensor& out) {
  TORCH_CHECK(at::canCast(self.scalar_type(), out.scalar_type()), "result type ", self.scalar_type(),
              " can't be cast to the desired output type ", out.scalar_type());
  const at::Tensor part = self.narrow_symint(dim, std::move(start), std::move(length));
  at::native::resize_output(out, part.sizes());
  return out.copy_(part);
}

}  // namespace

void copy_tensor(const at::Tensor& dst, const at::Tensor& src, bool non_blocking) {
  at::Tensor from = src.sizes() == dst.sizes() ? src : src.expand(dst.sizes());
  if (dst.numel() == 0) return;
  const bool device_to = dst.device().type() == kOcl, device_from = from.device().type() == kOcl;
  TORCH_CHECK((device_to || dst.is_cpu()) && (device_from || from.is_cpu()), "[copy] cannot copy from ", from.device(), " to ",
              dst.device());
  if (device_to && device_from && dst.device() != from.device()) {
    to_device(dst, from.cpu(), false);
  } else if (device_to && device_from) {
    on_device(dst, from);
  } else if (device_to) {
    to_device(dst, from, non_blocking);
  } else {
    to_host(dst, from, non_blocking);
  }
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("narrow_copy.out", &narrow_copy_out);
  m.impl("_copy_from", &copy_from);
  m.impl("_copy_from_and_resize", &copy_from_and_resize);
}
// A copy resolves these views itself: through PyTorch's own handling it would call itself without end.
TORCH_LIBRARY_IMPL(aten, Conjugate, m) {
  m.impl("_copy_from", torch::CppFunction::makeFallthrough());
  m.impl("_copy_from_and_resize", torch::CppFunction::makeFallthrough());
}
TORCH_LIBRARY_IMPL(aten, Negative, m) {
  m.impl("_copy_from", torch::CppFunction::makeFallthrough());
  m.impl("_copy_from_and_resize", torch::CppFunction::makeFallthrough());
}

}  // namespace oncilla::adapter
