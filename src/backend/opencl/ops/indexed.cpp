#include "ops/indexed.hpp"

#include <algorithm>

namespace oncilla::ocl {
namespace {

constexpr int64_t kCopyPart = 2048;  // elements of a row that a work-item copies

struct Limits {
  const char *lowest, *highest;
};

Limits limits(uint32_t dtype) {
  switch (dtype) {
    case ONC_I8:
      return {"SCHAR_MIN", "SCHAR_MAX"};
    case ONC_I16:
      return {"SHRT_MIN", "SHRT_MAX"};
    case ONC_I32:
      return {"INT_MIN", "INT_MAX"};
    case ONC_I64:
      return {"LONG_MIN", "LONG_MAX"};
    case ONC_U8:
      return {"0", "UCHAR_MAX"};
    case ONC_BOOL:
      return {"0", "1"};
    default:
      return {"-INFINITY", "INFINITY"};
  }
}

bool equal_strides(const kit::Tensor& a, const kit::Tensor& b) {
  for (size_t d = 0; d < a.dims.size(); ++d) {
    if (a.dims[d] > 1 && a.strides[d] != b.strides[d]) return false;
  }
  return true;
}

}  // namespace

void set_values(Defines& defines, uint32_t dtype) {
  set_storage(defines, dtype);
  defines.set("LOWEST", limits(dtype).lowest).set("HIGHEST", limits(dtype).highest);
  if (kit::dtype_kind(dtype) != 'f') defines.set("UNSIGNED", dtype == ONC_I64 ? "ulong" : "uint");
  if (dtype == ONC_BOOL) defines.set("BOOLEAN", 1);
}

void support_values(const Device& device, const kit::OpDesc& desc, uint32_t dtype) {
  kit::support(dtype != ONC_F64 || device.features().fp64, "[", desc.name(), "] float64 on a device without fp64");
}

Refill::Refill(Device& device, const kit::OpDesc& desc, const std::optional<kit::Tensor>& x, const kit::Tensor& y, bool wide)
    : op_(desc.name()),
      empty_(!x),
      same_strides_(!x || equal_strides(*x, y)),
      wide_(wide),
      bytes_(static_cast<uint64_t>(y.numel()) * kit::dtype_bytes(y.dtype)) {
  dense_ = y.span() == y.numel() && same_strides_;
  if (dense_ || y.numel() == 0) return;
  Space space{y.dims, {x ? x->strides : y.strides, y.strides}};
  space.merge();
  const Space::Dim inner = space.pop();
  rows_ = space.numel();
  inner_ = inner.size;
  part_ = std::min(inner_, kCopyPart);
  dims_ = space_dims(desc, space);
  x_strides_ = space_strides(space, 0);
  y_strides_ = space_strides(space, 1);
  x_step_ = inner.strides[0];
  y_step_ = inner.strides[1];
  Defines defines;
  defines.set("COPY", bits_type(kit::dtype_bytes(y.dtype)));
  set_index(defines, wide);
  kernel_ = device.kernel("scatter.cl", "scatter_copy", defines);
}

void Refill::run(onc_queue& queue, Mem x, Mem y) {
  if (bytes_ == 0) return;
  if (!empty_ && x.at.buffer == y.at.buffer && x.at.offset == y.at.offset) {
    kit::require(same_strides_, "[", op_, "] self and y begin at one place with other strides: not the same elements");
    return;
  }
  if (dense_ && empty_) {
    const uint64_t zero = 0;
    queue.fill(y.at, bytes_, &zero, y.item_bytes);
  } else if (dense_) {
    queue.copy_d2d(y.at, x.at, bytes_);
  } else {
    kernel_.launch(queue, {static_cast<size_t>(rows_ * ceil_div(inner_, part_))}, {1}, x, y, static_cast<int32_t>(empty_),
                   Index{rows_, wide_}, Index{inner_, wide_}, Index{part_, wide_}, dims_, x_strides_, y_strides_, x_step_, y_step_);
  }
}

}  // namespace oncilla::ocl
