// Copies between any two tensors of which at least one is on the device.
#pragma once

#include <ATen/core/Tensor.h>

namespace oncilla::adapter {

void copy_tensor(const at::Tensor& dst, const at::Tensor& src, bool non_blocking);

}  // namespace oncilla::adapter
