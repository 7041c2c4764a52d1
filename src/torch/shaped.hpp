// PyTorch's own shape functions ("meta") with outputs on the device: they check arguments, in PyTorch's words, and make or resize
// the outputs.
#pragma once

#include <ATen/TensorMeta.h>
#include <ATen/native/Resize.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>

#include <array>
#include <utility>

namespace oncilla::adapter {

// Meta is one of at::meta::structured_*. Outputs that are defined are those of an out= call.
template <class Meta, size_t kOutputs = 1>
struct Shaped final : Meta {
  std::array<at::Tensor, kOutputs> outs;

  Shaped() = default;
  explicit Shaped(std::array<at::Tensor, kOutputs> given) : outs(std::move(given)) {}

  void set_output_strided(int64_t i, at::IntArrayRef sizes, at::IntArrayRef strides, at::TensorOptions options) override {
    set(i, sizes, strides, options);
  }
  void set_output_raw_strided(int64_t i, at::IntArrayRef sizes, at::IntArrayRef strides, at::TensorOptions options) override {
    set(i, sizes, strides, options);
  }
  const at::Tensor& maybe_get_output(int64_t i) override { return outs[static_cast<size_t>(i)]; }

 private:
  void set(int64_t i, at::IntArrayRef sizes, at::IntArrayRef strides, const at::TensorOptions& options) {
    at::Tensor& out = outs[static_cast<size_t>(i)];
    if (out.defined()) {
      TORCH_CHECK(out.device() == options.device(),
                  "Expected all tensors to be on the same device, but found at least two devices, ", options.device(), " and ",
                  out.device(), "!");
      TORCH_CHECK(out.dtype() == options.dtype(), "Expected out tensor to have dtype ", options.dtype(), ", but got ", out.dtype(),
                  " instead");
      at::native::resize_output(out, sizes);
    } else if (strides.empty()) {
      out = at::empty(sizes, options);
    } else {
      out = at::empty_strided(sizes, strides, options);
    }
  }
};

}  // namespace oncilla::adapter
