// Windows as columns (im2col, what unfold of images is), and their gradients, which add up every window that an element is in. Each
// is one tape that reads by position; a gradient gathers with a trailing reduction, in a fixed order.
#include "torch/kernel.hpp"

#include <ATen/native/Resize.h>
#include <ATen/native/im2col_shape_check.h>
#include <ATen/ops/col2im_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/im2col_ops.h>
#include <ATen/ops/unfold_backward_ops.h>

#include <algorithm>
#include <limits>

#include "torch/arguments.hpp"
#include "torch/indexing.hpp"
#include "torch/spatial.hpp"

namespace oncilla::adapter {
namespace {

// A tape over a table whose sizes are run-time scalars, so that one program serves every geometry.
class Positions {
 public:
  Positions(const at::Tensor& table, const at::Tensor& out, int64_t window)
      : width_(std::max(table.numel(), out.numel() * window) > std::numeric_limits<int32_t>::max() ? ONC_I64 : ONC_I32),
        table_(table.contiguous().view({table.numel()})),
        from_(tape_.table(need_dtype(table.scalar_type()))) {}

  Value coordinate(uint32_t dim) { return tape_.coord(dim, width_); }
  Value size(int64_t value) {
    sizes_.push_back(value);
    return tape_.scalar(width_);
  }
  Value number(int64_t value) { return tape_.constant_int(width_, value); }
  // The element at a position, 0 unless `inside`.
  Value read(Value inside, Value position) {
    const Value value = tape_.gather(from_, position);
    const bool floating = value.dtype == ONC_F32 || value.dtype == ONC_F64;
    return where(inside, value, floating ? tape_.constant(value.dtype, 0) : tape_.constant_int(value.dtype, 0));
  }
  void run_into(const at::Tensor& out, Value value, std::span<const int64_t> dims, uint32_t reduced) {
    tape_.output(reduced == 0 ? value : tape_.reduce(ONC_EX_REDUCE_SUM, value));
    const at::Tensor y = out.view(at::IntArrayRef(dims.data(), dims.size() - reduced));
    Op op(ONC_OP_EXPR);
    op.in(in_ref(table_)).out(out_ref(y)).tape(tape_, dims, reduced);
    for (const int64_t size : sizes_) op.scalar_int(size);
    run(op, out.device().index());
  }

 private:
  uint32_t width_;
  at::Tensor table_;
  Tape tape_;
  Table from_;
  std::vector<int64_t> sizes_;
};

// How the taps of a window lie in one spatial dim.
struct Axis {
  int64_t size, kernel, dilation, pad, stride;
  int64_t windows() const { return (size + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1; }
};

// x [images, h, w] to columns [images, kernel h, kernel w, windows h, windows w].
void to_columns(const at::Tensor& x, const at::Tensor& out, int64_t images, const Axis& h, const Axis& w) {
  if (out.numel() == 0) return;
  Positions p(x, out, 1);
  Value inside;
  auto along = [&](const Axis& axis, uint32_t tap, uint32_t window) {
    const Value at = p.coordinate(window) * p.size(axis.stride) - p.size(axis.pad) + p.coordinate(tap) * p.size(axis.dilation);
    const Value fits = logical_and(ge(at, p.number(0)), lt(at, p.size(axis.size)));
    inside = inside.tape == nullptr ? fits : logical_and(inside, fits);
    return at;
  };
  const Value row = along(h, 1, 3), column = along(w, 2, 4);
  const Value value = p.read(inside, (p.coordinate(0) * p.size(h.size) + row) * p.size(w.size) + column);
  p.run_into(out, value, std::array{images, h.kernel, w.kernel, h.windows(), w.windows()}, 0);
}

// The gradient of to_columns.
void from_columns(const at::Tensor& columns, const at::Tensor& out, int64_t images, const Axis& h, const Axis& w) {
  if (out.numel() == 0) return;
  Positions p(columns, out, h.kernel * w.kernel);
  Value inside;
  // The window in which an element stands at a tap.
  auto along = [&](const Axis& axis, uint32_t element, uint32_t tap) {
    const Value offset = p.coordinate(element) + p.size(axis.pad) - p.coordinate(tap) * p.size(axis.dilation);
    const Value stride = p.size(axis.stride), window = trunc_div(offset, stride);
    const Value fits =
        logical_and(logical_and(ge(offset, p.number(0)), eq(window * stride, offset)), lt(window, p.size(axis.windows())));
    inside = inside.tape == nullptr ? fits : logical_and(inside, fits);
    return window;
  };
  const Value row = along(h, 1, 3), column = along(w, 2, 4);
  const Value tap = (p.coordinate(0) * p.size(h.kernel) + p.coordinate(3)) * p.size(w.kernel) + p.coordinate(4);
  const Value value = p.read(inside, (tap * p.size(h.windows()) + row) * p.size(w.windows()) + column);
  p.run_into(out, value, std::array{images, h.size, w.size, h.kernel, w.kernel}, 2);
}

void check_pairs(std::initializer_list<std::pair<const char*, at::IntArrayRef>> lists) {
  for (const auto& [name, list] : lists)
    TORCH_CHECK(list.size() == 2, "It is expected ", name, " equals to 2, but got size ", list.size());
}

at::Tensor& im2col_out(const at::Tensor& self, at::IntArrayRef kernel, at::IntArrayRef dilation, at::IntArrayRef pad,
                       at::IntArrayRef stride, at::Tensor& out) {
  if (self.scalar_type() != at::kBool) need_floating(self, "im2col");  // the CPU has these
  check_pairs({{"kernel_size", kernel}, {"dilation", dilation}, {"padding", pad}, {"stride", stride}});
  at::native::im2col_shape_check(self, at::Tensor(), kernel[0], kernel[1], dilation[0], dilation[1], pad[0], pad[1], stride[0],
                                 stride[1]);
  check_same_device(self, out);
  const at::Tensor x = batched(self, 2);
  const Axis h{x.size(2), kernel[0], dilation[0], pad[0], stride[0]}, w{x.size(3), kernel[1], dilation[1], pad[1], stride[1]};
  const int64_t taps = x.size(1) * h.kernel * w.kernel, windows = h.windows() * w.windows();
  if (self.dim() == 3) {
    at::native::resize_output(out, {taps, windows});
  } else {
    at::native::resize_output(out, {x.size(0), taps, windows});
  }
  const Dense to(out);
  to_columns(x, to.to, x.size(0) * x.size(1), h, w);
  to.finish();
  return out;
}
at::Tensor im2col(const at::Tensor& self, at::IntArrayRef kernel, at::IntArrayRef dilation, at::IntArrayRef pad,
                  at::IntArrayRef stride) {
  at::Tensor out = at::empty({0}, self.options());
  return im2col_out(self, kernel, dilation, pad, stride, out);
}

at::Tensor& col2im_out(const at::Tensor& self, c10::SymIntArrayRef sym_size, at::IntArrayRef kernel, at::IntArrayRef dilation,
                       at::IntArrayRef pad, at::IntArrayRef stride, at::Tensor& out) {
  need_floating(self, "col2im");
  const auto size = C10_AS_INTARRAYREF_SLOW(sym_size);
  check_pairs({{"output_size", size}, {"kernel_size", kernel}, {"dilation", dilation}, {"padding", pad}, {"stride", stride}});
  at::native::col2im_shape_check(self, at::Tensor(), size[0], size[1], kernel[0], kernel[1], dilation[0], dilation[1], pad[0],
                                 pad[1], stride[0], stride[1]);
  check_same_device(self, out);
  const at::Tensor columns = batched(self, 1);
  const Axis h{size[0], kernel[0], dilation[0], pad[0], stride[0]}, w{size[1], kernel[1], dilation[1], pad[1], stride[1]};
  const int64_t channels = columns.size(1) / (h.kernel * w.kernel);
  if (self.dim() == 2) {
    at::native::resize_output(out, {channels, h.size, w.size});
  } else {
    at::native::resize_output(out, {columns.size(0), channels, h.size, w.size});
  }
  const Dense to(out);
  from_columns(columns, to.to, columns.size(0) * channels, h, w);
  to.finish();
  return out;
}
at::Tensor col2im(const at::Tensor& self, c10::SymIntArrayRef size, at::IntArrayRef kernel, at::IntArrayRef dilation,
                  at::IntArrayRef pad, at::IntArrayRef stride) {
  at::Tensor out = at::empty({0}, self.options());
  return col2im_out(self, size, kernel, dilation, pad, stride, out);
}

// The gradient of Tensor.unfold: grad [..., windows, ..., size] to `sizes`.
at::Tensor unfold_grad(const at::Tensor& grad, c10::SymIntArrayRef sym_sizes, int64_t dim, int64_t size, int64_t step) {
  need_floating(grad, "unfold's gradient");
  const auto sizes = C10_AS_INTARRAYREF_SLOW(sym_sizes);
  const at::Tensor out = at::empty(sizes, grad.options());
  if (out.numel() == 0) return out;
  if (grad.numel() == 0) return out.zero_();
  const int64_t axis = at::maybe_wrap_dim(dim, out.dim());
  int64_t outer = 1, inner = 1;
  for (int64_t d = 0; d < axis; ++d) outer *= out.size(d);
  for (int64_t d = axis + 1; d < out.dim(); ++d) inner *= out.size(d);
  const int64_t length = out.dim() == 0 ? 1 : out.size(axis), windows = grad.numel() / (outer * inner * size);
  Positions p(grad, out, size);
  const Value offset = p.coordinate(1) - p.coordinate(3), by = p.size(step), window = trunc_div(offset, by),
              count = p.size(windows);
  const Value inside = logical_and(logical_and(ge(offset, p.number(0)), eq(window * by, offset)), lt(window, count));
  const Value slice = (p.coordinate(0) * count + window) * p.size(inner) + p.coordinate(2);
  p.run_into(out, p.read(inside, slice * p.size(size) + p.coordinate(3)), std::array{outer, length, inner, size}, 1);
  return out;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::im2col, im2col>(m);
  kernel<at::_ops::im2col_out, im2col_out>(m);
  kernel<at::_ops::col2im, col2im>(m);
  kernel<at::_ops::col2im_out, col2im_out>(m);
  kernel<at::_ops::unfold_backward, unfold_grad>(m);
}

}  // namespace oncilla::adapter
