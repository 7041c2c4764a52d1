// Making tensors, viewing and resizing them: nothing here touches an element, except fill and the reading of one.
#include <ATen/EmptyTensor.h>
#include <ATen/InferSize.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/Resize.h>
#include <ATen/native/ResizeCommon.h>
#include <ATen/native/TensorFactories.h>
#include <ATen/ops/_local_scalar_dense_native.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_as_complex_native.h>
#include <ATen/ops/view_as_real_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "torch/copy.hpp"
#include "torch/pointwise.hpp"

namespace oncilla::adapter {
namespace {

c10::Device device_or_current(std::optional<c10::Device> device) {
  if (!device) return {kOcl, current_device()};
  TORCH_CHECK(device->type() == kOcl, "[empty] not a device of this backend: ", *device);
  return {kOcl, device->has_index() ? device->index() : current_device()};
}

void check_options(std::optional<c10::Layout> layout, std::optional<bool> pinned) {
  TORCH_CHECK(layout.value_or(c10::kStrided) == c10::kStrided, "[empty] only strided tensors live on ocl, not ", *layout);
  TORCH_CHECK(!pinned.value_or(false), "Only dense CPU tensors can be pinned");
}

// torch.use_deterministic_algorithms(True): what nobody wrote reads as NaN, or as the largest integer.
bool fills_fresh_memory() {
  const at::Context& context = at::globalContext();
  return context.deterministicAlgorithms() && context.deterministicFillUninitializedMemory();
}

at::Tensor fresh(at::Tensor made) {
  if (fills_fresh_memory()) [[unlikely]]
    at::native::fill_empty_deterministic_(made);
  return made;
}

at::Tensor empty(c10::SymIntArrayRef size, std::optional<c10::ScalarType> dtype, std::optional<c10::Layout> layout,
                 std::optional<c10::Device> device, std::optional<bool> pinned, std::optional<c10::MemoryFormat> format) {
  check_options(layout, pinned);
  const c10::DeviceGuard guard(device_or_current(device));
  return fresh(at::detail::empty_generic(C10_AS_INTARRAYREF_SLOW(size), c10::GetAllocator(kOcl),
                                         c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), c10::dtype_or_default(dtype), format));
}

at::Tensor empty_strided(c10::SymIntArrayRef size, c10::SymIntArrayRef stride, std::optional<c10::ScalarType> dtype,
                         std::optional<c10::Layout> layout, std::optional<c10::Device> device, std::optional<bool> pinned) {
  check_options(layout, pinned);
  const c10::DeviceGuard guard(device_or_current(device));
  return fresh(at::detail::empty_strided_generic(C10_AS_INTARRAYREF_SLOW(size), C10_AS_INTARRAYREF_SLOW(stride),
                                                 c10::GetAllocator(kOcl), c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                                 c10::dtype_or_default(dtype)));
}

// PyTorch's zeros without memory, which its gradients use; here they are ordinary ones.
at::Tensor efficient_zeros(c10::SymIntArrayRef size, std::optional<c10::ScalarType> dtype, std::optional<c10::Layout> layout,
                           std::optional<c10::Device> device, std::optional<bool> pinned) {
  return empty(size, dtype, layout, device, pinned, std::nullopt).zero_();
}

const at::Tensor& resize(const at::Tensor& self, c10::SymIntArrayRef sym_size, std::optional<c10::MemoryFormat> format) {
  const auto size = C10_AS_INTARRAYREF_SLOW(sym_size);
  auto* impl = self.unsafeGetTensorImpl();
  const auto before = static_cast<int64_t>(self.storage().nbytes());
  if (impl->sizes() != size) {
    impl->set_sizes_contiguous(size);
    const size_t bytes =
        at::detail::computeStorageNbytesContiguous(size, self.dtype().itemsize(), static_cast<size_t>(self.storage_offset()));
    if (bytes > self.storage().nbytes()) at::detail::getPrivateUse1Hooks().resizePrivateUse1Bytes(self.storage(), bytes);
  }
  if (format) {
    TORCH_CHECK(*format != c10::MemoryFormat::Preserve, "Unsupported memory format", *format);
    impl->empty_tensor_restride(*format);
  }
  if (fills_fresh_memory()) [[unlikely]]
    at::native::fill_resize_deterministic_(self, before);
  return self;
}

at::Tensor view(const at::Tensor& self, c10::SymIntArrayRef size) { return at::native::view(self, C10_AS_INTARRAYREF_SLOW(size)); }
at::Tensor as_strided(const at::Tensor& self, c10::SymIntArrayRef size, c10::SymIntArrayRef stride,
                      std::optional<c10::SymInt> offset) {
  return at::native::as_strided_tensorimpl(self, C10_AS_INTARRAYREF_SLOW(size), C10_AS_INTARRAYREF_SLOW(stride),
                                           offset ? std::optional<int64_t>(offset->guard_int(__FILE__, __LINE__)) : std::nullopt);
}
at::Tensor reshape_alias(const at::Tensor& self, c10::SymIntArrayRef size, c10::SymIntArrayRef stride) {
  return at::native::_reshape_alias(self, C10_AS_INTARRAYREF_SLOW(size), C10_AS_INTARRAYREF_SLOW(stride));
}
at::Tensor& set_storage_offset(at::Tensor& self, at::Storage storage, c10::SymInt offset, c10::SymIntArrayRef size,
                               c10::SymIntArrayRef stride) {
  const auto sizes = C10_AS_INTARRAYREF_SLOW(size), strides = C10_AS_INTARRAYREF_SLOW(stride);
  TORCH_CHECK(storage.device() == self.device(), "Attempted to set the storage of a tensor on device \"", self.device(),
              "\" to a storage on different device \"", storage.device(),
              "\".  This is no longer allowed; the devices must match.");
  auto* impl = self.unsafeGetTensorImpl();
  const int64_t start = offset.guard_int(__FILE__, __LINE__);
  TORCH_CHECK(start >= 0, "Tensor: invalid storage offset ", start);
  impl->set_storage_keep_dtype(std::move(storage));
  if (!strides.empty() || sizes.empty()) {
    impl->set_sizes_and_strides(sizes, strides, start);
  } else {
    impl->set_sizes_contiguous(sizes);
    impl->set_storage_offset(start);
  }
  const size_t bytes =
      at::detail::computeStorageNbytes(self.sizes(), self.strides(), self.dtype().itemsize(), static_cast<size_t>(start));
  if (self.numel() > 0 && bytes > self.storage().nbytes())
    at::detail::getPrivateUse1Hooks().resizePrivateUse1Bytes(self.storage(), bytes);
  return self;
}
at::Tensor& set_storage(at::Tensor& self, at::Storage storage) {
  const int64_t size = static_cast<int64_t>(storage.nbytes() / self.dtype().itemsize());
  return set_storage_offset(self, std::move(storage), 0, c10::SymInt(size), {});
}
at::Tensor& set_tensor(at::Tensor& self, const at::Tensor& source) {
  if (self.unsafeGetTensorImpl() == source.unsafeGetTensorImpl()) return self;
  const auto sizes = c10::fromIntArrayRefSlow(source.sizes()), strides = c10::fromIntArrayRefSlow(source.strides());
  return set_storage_offset(self, source.storage(), source.storage_offset(), sizes, strides);
}
at::Tensor& set_nothing(at::Tensor& self) {
  const c10::DeviceGuard guard(self.device());
  return set_storage_offset(self, c10::Storage(c10::Storage::use_byte_size_t(), 0, c10::GetAllocator(kOcl), true), 0,
                            c10::SymInt(0), {});
}

c10::Scalar local_scalar(const at::Tensor& self) {
  const at::Tensor host = at::empty({}, self.options().device(c10::kCPU));
  copy_tensor(host, self.reshape({}), false);
  return at::native::_local_scalar_dense_cpu(host);
}

at::Tensor& fill_scalar(at::Tensor& self, const c10::Scalar& value) {
  if (self.numel() == 0) return self;
  if (value.isComplex() || onc_dtype(self.scalar_type()) == 0) {
    const at::Tensor host = at::empty({}, self.options().device(c10::kCPU)).fill_(value);
    copy_tensor(self, host, false);
    return self;
  }
  auto iter = at::TensorIteratorConfig()
                  .set_check_mem_overlap(false)
                  .check_all_same_dtype(false)
                  .add_output(self)
                  .resize_outputs(false)
                  .build();
  pointwise(iter, self.scalar_type(), {}, [&](Ctx& ctx) { return ctx.s(value); });
  return self;
}
at::Tensor& fill_tensor(at::Tensor& self, const at::Tensor& value) {
  TORCH_CHECK(value.dim() == 0, "fill_ only supports 0-dimension value tensor but got tensor with ", value.dim(), " dimensions.");
  if (value.is_cpu()) return fill_scalar(self, value.item());
  copy_tensor(self, value, false);
  return self;
}
at::Tensor& zero(at::Tensor& self) {
  if (self.numel() == 0) return self;
  if (!self.is_non_overlapping_and_dense()) return fill_scalar(self, 0);
  const uint8_t pattern = 0;
  void* to = static_cast<char*>(self.storage().mutable_data()) + self.storage_offset() * static_cast<int64_t>(self.element_size());
  translated([&] { queue_of(self.device().index())->fill(place(to), self.nbytes(), &pattern, 1); });
  return self;
}

// Parameters keep their identity when a module moves: optimizers made before the move still train them.
bool shallow_copy_compatible(const at::Tensor& self, const at::Tensor& from) {
  return self.layout() == c10::kStrided && from.layout() == c10::kStrided;
}

void record_stream(at::Tensor& self, at::Stream stream) {
  c10::getDeviceAllocator(kOcl)->recordStream(self.storage().data_ptr(), stream);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", &empty);
  m.impl("empty_strided", &empty_strided);
  m.impl("_efficientzerotensor", &efficient_zeros);
  m.impl("resize_", &resize);
  m.impl("view", &view);
  m.impl("as_strided", &as_strided);
  m.impl("_reshape_alias", &reshape_alias);
  m.impl("unfold", TORCH_FN(at::native::unfold));
  m.impl("view_as_real", TORCH_FN(at::native::view_as_real));
  m.impl("view_as_complex", TORCH_FN(at::native::view_as_complex));
  m.impl("set_.source_Storage", &set_storage);
  m.impl("set_.source_Storage_storage_offset", &set_storage_offset);
  m.impl("set_.source_Tensor", &set_tensor);
  m.impl("set_", &set_nothing);
  m.impl("_local_scalar_dense", &local_scalar);
  m.impl("fill_.Scalar", &fill_scalar);
  m.impl("fill_.Tensor", &fill_tensor);
  m.impl("zero_", &zero);
  m.impl("_has_compatible_shallow_copy_type", &shallow_copy_compatible);
  m.impl("record_stream", &record_stream);
}

}  // namespace oncilla::adapter
