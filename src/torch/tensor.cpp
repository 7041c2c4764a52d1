// Tensors as the core sees them.
#include "torch/tensor.hpp"

#include <ATen/ops/empty.h>

#include "core/address_map.hpp"

namespace oncilla::adapter {

uint32_t onc_dtype(c10::ScalarType type) {
  switch (type) {
    case c10::kFloat:
      return ONC_F32;
    case c10::kDouble:
      return ONC_F64;
    case c10::kHalf:
      return ONC_F16;
    case c10::kBFloat16:
      return ONC_BF16;
    case c10::kChar:
      return ONC_I8;
    case c10::kShort:
      return ONC_I16;
    case c10::kInt:
      return ONC_I32;
    case c10::kLong:
      return ONC_I64;
    case c10::kByte:
      return ONC_U8;
    case c10::kBool:
      return ONC_BOOL;
    default:
      return ONC_DTYPE_NONE;
  }
}

uint32_t need_dtype(c10::ScalarType type) {
  const uint32_t dtype = onc_dtype(type);
  if (dtype == ONC_DTYPE_NONE) throw Declined(std::string("no kernel computes in ") + c10::toString(type));
  return dtype;
}

onc_arg place(const void* address) {
  if (address == nullptr) return {};
  return translated([&] { return AddressMap::get().at(address).at; });
}

namespace {
TensorRef ref(const at::Tensor& tensor, const void* address) {
  TORCH_CHECK(tensor.device().type() == kOcl, "Expected all tensors to be on the same device, but found at least two devices, ocl:",
              static_cast<int>(current_device()), " and ", tensor.device(), "!");
  return {place(address),
          need_dtype(tensor.scalar_type()),
          {tensor.sizes().data(), tensor.sizes().size()},
          {tensor.strides().data(), tensor.strides().size()}};
}
}  // namespace

TensorRef in_ref(const at::Tensor& tensor) { return ref(tensor, tensor.const_data_ptr()); }
TensorRef out_ref(const at::Tensor& tensor) { return ref(tensor, tensor.mutable_data_ptr()); }

Op& maybe_in(Op& op, const at::Tensor& tensor) { return tensor.defined() ? op.in(in_ref(tensor)) : op.no_in(); }
Op& maybe_out(Op& op, const at::Tensor& tensor) { return tensor.defined() ? op.out(out_ref(tensor)) : op.no_out(); }

void run(Op& op, c10::DeviceIndex device) {
  Queue* queue = queue_of(device);
  translated([&] { op.run(*queue); });
}

at::Tensor empty_like_dense(const at::Tensor& like, c10::ScalarType type) {
  return at::empty(like.sizes(), like.options().dtype(type));
}

}  // namespace oncilla::adapter
