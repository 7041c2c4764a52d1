// A PyTorch tensor as the core sees it: dtype, place, sizes and strides; and the one way to run an op on it.
#pragma once

#include <ATen/core/Tensor.h>

#include <stdexcept>
#include <string>

#include "core/op.hpp"
#include "torch/device.hpp"

namespace oncilla::adapter {

// The device does not do this (a dtype, a shape, a mode): the caller's wrapper runs the op on the CPU instead, visibly.
class Declined : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// ONC_* of a dtype, or 0 where kernels do not know it.
uint32_t onc_dtype(c10::ScalarType type);
// The same, but Declined where there is none.
uint32_t need_dtype(c10::ScalarType type);

// Where an address that the allocator gave lies. NULL (an empty tensor) gives an empty place.
onc_arg place(const void* address);

// The spans point into the tensor, which must live until the op ran. An output materialises copy-on-write storage.
TensorRef in_ref(const at::Tensor& tensor);
TensorRef out_ref(const at::Tensor& tensor);

// An optional tensor of an op; an undefined one is absent.
Op& maybe_in(Op& op, const at::Tensor& tensor);
Op& maybe_out(Op& op, const at::Tensor& tensor);

// Enqueues on the current stream of the device; errors become PyTorch's.
void run(Op& op, c10::DeviceIndex device);

at::Tensor empty_like_dense(const at::Tensor& like, c10::ScalarType type);  // contiguous, same sizes

}  // namespace oncilla::adapter
