// Cells of recurrent networks on the device: the tapes of core/recurrent.hpp over blocks of columns of PyTorch's tensors.
#pragma once

#include <array>
#include <cstdint>

#include "core/recurrent.hpp"
#include "torch/tensor.hpp"

namespace oncilla::adapter {

// One EXPR over [N, H]. Operands are blocks of H columns: number `block` of a tensor [N, k * H], or, without the first dim, of one
// [k * H] that is the same for every row. An undefined tensor is left out. Views of them need not be made, which costs the host
// more than a small launch does.
class Blocks {
 public:
  Blocks(int64_t n, int64_t h) : dims_{n, h} {}
  Blocks& in(const at::Tensor& t, int64_t first = 0, int64_t count = 1);
  Blocks& out(const at::Tensor& t, int64_t first = 0, int64_t count = 1);
  void run(const Tape& tape, c10::DeviceIndex device);

 private:
  static constexpr size_t kMost = 24;  // four gates twice, with their biases, and seven tensors besides
  void add(const at::Tensor& t, const void* address, int64_t first, int64_t count, bool output);
  std::array<int64_t, 2> dims_;
  std::array<std::array<int64_t, 2>, kMost> strides_{};
  size_t used_ = 0;
  Op op_{ONC_OP_EXPR};
};

}  // namespace oncilla::adapter
