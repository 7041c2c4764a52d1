// Padding: with a constant, by reflection, by repeating the border. A circular pad is copies of slices for PyTorch.
#include "torch/kernel.hpp"

#include <ATen/native/Padding.h>
#include <ATen/native/Resize.h>
#include <c10/util/OptionalArrayRef.h>

#include <ATen/ops/constant_pad_nd_native.h>
#include <ATen/ops/constant_pad_nd_ops.h>
#include <ATen/ops/reflection_pad1d_backward_meta.h>
#include <ATen/ops/reflection_pad1d_backward_ops.h>
#include <ATen/ops/reflection_pad1d_meta.h>
#include <ATen/ops/reflection_pad1d_ops.h>
#include <ATen/ops/reflection_pad2d_backward_ops.h>
#include <ATen/ops/reflection_pad2d_ops.h>
#include <ATen/ops/reflection_pad3d_backward_meta.h>
#include <ATen/ops/reflection_pad3d_backward_ops.h>
#include <ATen/ops/reflection_pad3d_meta.h>
#include <ATen/ops/reflection_pad3d_ops.h>
#include <ATen/ops/replication_pad1d_backward_meta.h>
#include <ATen/ops/replication_pad1d_backward_ops.h>
#include <ATen/ops/replication_pad1d_meta.h>
#include <ATen/ops/replication_pad1d_ops.h>
#include <ATen/ops/replication_pad2d_backward_ops.h>
#include <ATen/ops/replication_pad2d_meta.h>
#include <ATen/ops/replication_pad2d_ops.h>
#include <ATen/ops/replication_pad3d_backward_ops.h>
#include <ATen/ops/replication_pad3d_meta.h>
#include <ATen/ops/replication_pad3d_ops.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "torch/shaped.hpp"
#include "torch/spatial.hpp"

namespace oncilla::adapter {
namespace {

using Ints = at::IntArrayRef;
using Sizes = c10::SymIntArrayRef;

// PyTorch lists (before, after) from the last dim on.
onc_pad_attrs attributes(uint32_t mode, Ints padding, int64_t rank) {
  onc_pad_attrs out{};
  out.mode = mode;
  for (size_t i = 0; i < padding.size() / 2; ++i) out.before[static_cast<size_t>(rank) - 1 - i] = padding[2 * i];
  return out;
}

void pad_run(uint32_t mode, const at::Tensor& x, Ints padding, const at::Tensor& out) {
  if (out.numel() == 0) return;
  Op op(ONC_OP_PAD);
  op.in(in_ref(x)).out(out_ref(out)).attrs(attributes(mode, padding, x.dim())).scalar_int(0);
  run(op, x.device().index());
}
void pad_grad_run(uint32_t mode, const at::Tensor& grad, Ints padding, const at::Tensor& grad_in) {
  const auto leading = grad_in.dim() - static_cast<int64_t>(padding.size() / 2);
  for (int64_t d = 0; d < leading; ++d) {
    TORCH_CHECK(grad.dim() == grad_in.dim() && grad.size(d) == grad_in.size(d), "grad_output of sizes ", grad.sizes(),
                " does not fit an input of sizes ", grad_in.sizes());
  }
  if (grad_in.numel() == 0) return;
  if (grad.numel() == 0) {  // all of the input was cut off
    grad_in.zero_();
    return;
  }
  Op op(ONC_OP_PAD_GRAD);
  op.in(in_ref(grad)).out(out_ref(grad_in)).attrs(attributes(mode, padding, grad.dim()));
  run(op, grad.device().index());
}

// PyTorch's CPU kernels take no bool.
void need_number(const at::Tensor& x) {
  need_dtype(x.scalar_type());
  if (x.scalar_type() == at::kBool) throw Declined("padding in Bool");
}

// --- where PyTorch has a shape function

template <class Meta, uint32_t kMode>
at::Tensor& pad_out(const at::Tensor& x, Sizes padding, at::Tensor& out) {
  need_number(x);
  const Ints pads = C10_AS_INTARRAYREF_SLOW(padding);
  Shaped<Meta> shaped({out});
  shaped.meta(x, pads);
  pad_run(kMode, x, pads, out);
  return out;
}
template <class Meta, uint32_t kMode>
at::Tensor& pad_grad(const at::Tensor& grad, const at::Tensor& x, Sizes padding, at::Tensor& grad_in) {
  need_floating(x, "padding's gradient");
  const Ints pads = C10_AS_INTARRAYREF_SLOW(padding);
  Shaped<Meta> shaped({grad_in});
  shaped.meta(grad, x, pads);
  pad_grad_run(kMode, grad, pads, grad_in);
  return grad_in;
}

// --- where it has none

std::vector<int64_t> reflection_sizes(const at::Tensor& x, Ints pads) {
  at::native::padding::check_valid_input<2>(x, pads);
  const int64_t w = x.dim() - 1, h = x.dim() - 2;
  TORCH_CHECK(pads[0] < x.size(w) && pads[1] < x.size(w),
              "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding (", pads[0], ", ",
              pads[1], ") at dimension ", w, " of input ", x.sizes());
  TORCH_CHECK(pads[2] < x.size(h) && pads[3] < x.size(h),
              "Argument #6: Padding size should be less than the corresponding input dimension, but got: padding (", pads[2], ", ",
              pads[3], ") at dimension ", h, " of input ", x.sizes());
  std::vector<int64_t> sizes = x.sizes().vec();
  int64_t &height = sizes[sizes.size() - 2], &width = sizes.back();
  height += pads[2] + pads[3];
  width += pads[0] + pads[1];
  TORCH_CHECK(width >= 1 || height >= 1, "input (H: ", x.size(h), ", W: ", x.size(w),
              ") is too small. Calculated output H: ", height, " W: ", width);
  return sizes;
}
at::Tensor reflection_pad2d(const at::Tensor& x, Sizes padding) {
  need_number(x);
  const Ints pads = C10_AS_INTARRAYREF_SLOW(padding);
  const auto sizes = reflection_sizes(x, pads);
  const auto format = x.dim() == 4 ? x.suggest_memory_format() : c10::MemoryFormat::Contiguous;
  const at::Tensor out = at::empty(sizes, x.options().memory_format(format));
  pad_run(ONC_PAD_REFLECT, x, pads, out);
  return out;
}
at::Tensor& reflection_pad2d_out(const at::Tensor& x, Sizes padding, at::Tensor& out) {
  need_number(x);
  const Ints pads = C10_AS_INTARRAYREF_SLOW(padding);
  at::native::resize_output(out, reflection_sizes(x, pads));
  pad_run(ONC_PAD_REFLECT, x, pads, out);
  return out;
}

template <int64_t kRank, uint32_t kMode>
at::Tensor& plain_grad_out(const at::Tensor& grad, const at::Tensor& x, Sizes padding, at::Tensor& grad_in) {
  need_floating(x, "padding's gradient");
  const Ints pads = C10_AS_INTARRAYREF_SLOW(padding);
  TORCH_CHECK(pads.size() == 2 * kRank, "padding size is expected to be ", 2 * kRank);
  TORCH_CHECK(x.dim() > kRank && grad.dim() == x.dim(), "grad_output of sizes ", grad.sizes(), " does not fit an input of sizes ",
              x.sizes());
  for (int64_t k = 0; k < kRank; ++k) {
    static constexpr std::array<const char*, 3> kNames = {"width", "height", "depth"};
    const auto i = static_cast<size_t>(k);
    const int64_t expected = x.size(-1 - k) + pads[2 * i] + pads[2 * i + 1];
    TORCH_CHECK(expected == grad.size(-1 - k), "gradOutput ", kNames[i], " unexpected. Expected: ", expected,
                ", Got: ", grad.size(-1 - k));
  }
  at::native::resize_output(grad_in, x.sizes());
  pad_grad_run(kMode, grad, pads, grad_in);
  return grad_in;
}
template <int64_t kRank, uint32_t kMode>
at::Tensor plain_grad(const at::Tensor& grad, const at::Tensor& x, Sizes padding) {
  at::Tensor grad_in = at::empty(x.sizes(), x.options().memory_format(x.suggest_memory_format()));
  return plain_grad_out<kRank, kMode>(grad, x, padding, grad_in);
}

// --- constants

// Whether every integer dtype (whole) has room for the number, or any floating one a form of it.
bool holds(const at::Scalar& value, bool whole) {
  if (value.isComplex()) return false;
  const double number = value.toDouble();
  return !whole || (number >= 0 && number <= 127 && number == std::floor(number));
}
// Raises as PyTorch does where the number overflows the dtype.
double floating(const at::Scalar& value, at::ScalarType type) {
  switch (type) {
    case at::kHalf:
      return static_cast<double>(static_cast<float>(value.toHalf()));
    case at::kBFloat16:
      return static_cast<double>(static_cast<float>(value.toBFloat16()));
    case at::kFloat:
      return static_cast<double>(value.toFloat());
    default:
      return value.toDouble();
  }
}

// In one kernel what PyTorch's own form does in a fill and a copy. That form checks the arguments, and serves what the kernel does
// not: other dtypes and ranks, crops alone, and numbers that an integer dtype might not hold.
at::Tensor constant_pad(const at::Tensor& x, Sizes padding, const at::Scalar& value) {
  const Ints pads = C10_AS_INTARRAYREF_SLOW(padding);
  const bool whole = at::isIntegralType(x.scalar_type(), true);
  std::vector<int64_t> sizes = x.sizes().vec();
  bool fits = onc_dtype(x.scalar_type()) != ONC_DTYPE_NONE && x.dim() <= ONC_PAD_RANK && pads.size() % 2 == 0 &&
              pads.size() / 2 <= sizes.size() && holds(value, whole) &&
              std::any_of(pads.begin(), pads.end(), [](int64_t pad) { return pad > 0; });
  for (size_t i = 0; fits && i < pads.size() / 2; ++i) {
    int64_t& size = sizes[sizes.size() - 1 - i];
    size += pads[2 * i] + pads[2 * i + 1];
    fits = size >= 0;
  }
  if (!fits) return at::native::constant_pad_nd(x, pads, value);
  const at::Tensor out = at::empty(sizes, x.options().memory_format(x.suggest_memory_format()));
  if (out.numel() == 0) return out;
  Op op(ONC_OP_PAD);
  op.in(in_ref(x)).out(out_ref(out)).attrs(attributes(ONC_PAD_CONSTANT, pads, x.dim()));
  if (whole) {
    op.scalar_int(static_cast<int64_t>(value.toDouble()));
  } else {
    op.scalar(floating(value, x.scalar_type()));
  }
  run(op, x.device().index());
  return out;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::constant_pad_nd, constant_pad>(m);
  kernel<at::_ops::reflection_pad1d_out, pad_out<at::meta::structured_reflection_pad1d, ONC_PAD_REFLECT>>(m);
  kernel<at::_ops::reflection_pad1d_backward_grad_input, pad_grad<at::meta::structured_reflection_pad1d_backward, ONC_PAD_REFLECT>>(
      m);
  kernel<at::_ops::reflection_pad2d, reflection_pad2d>(m);
  kernel<at::_ops::reflection_pad2d_out, reflection_pad2d_out>(m);
  kernel<at::_ops::reflection_pad2d_backward, plain_grad<2, ONC_PAD_REFLECT>>(m);
  kernel<at::_ops::reflection_pad2d_backward_grad_input, plain_grad_out<2, ONC_PAD_REFLECT>>(m);
  kernel<at::_ops::reflection_pad3d_out, pad_out<at::meta::structured_reflection_pad3d, ONC_PAD_REFLECT>>(m);
  kernel<at::_ops::reflection_pad3d_backward_grad_input, pad_grad<at::meta::structured_reflection_pad3d_backward, ONC_PAD_REFLECT>>(
      m);
  kernel<at::_ops::replication_pad1d_out, pad_out<at::meta::structured_replication_pad1d, ONC_PAD_REPLICATE>>(m);
  kernel<at::_ops::replication_pad1d_backward_grad_input,
         pad_grad<at::meta::structured_replication_pad1d_backward, ONC_PAD_REPLICATE>>(m);
  kernel<at::_ops::replication_pad2d_out, pad_out<at::meta::structured_replication_pad2d, ONC_PAD_REPLICATE>>(m);
  kernel<at::_ops::replication_pad2d_backward, plain_grad<2, ONC_PAD_REPLICATE>>(m);
  kernel<at::_ops::replication_pad2d_backward_grad_input, plain_grad_out<2, ONC_PAD_REPLICATE>>(m);
  kernel<at::_ops::replication_pad3d_out, pad_out<at::meta::structured_replication_pad3d, ONC_PAD_REPLICATE>>(m);
  kernel<at::_ops::replication_pad3d_backward, plain_grad<3, ONC_PAD_REPLICATE>>(m);
  kernel<at::_ops::replication_pad3d_backward_grad_input, plain_grad_out<3, ONC_PAD_REPLICATE>>(m);
}

}  // namespace oncilla::adapter
