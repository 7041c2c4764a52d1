#include "torch/recurrent.hpp"

namespace oncilla::adapter {

void Blocks::add(const at::Tensor& t, const void* address, int64_t first, int64_t count, bool output) {
  const int64_t row = t.dim() == 2 ? t.stride(0) : 0, column = t.stride(t.dim() - 1);
  const uint32_t dtype = need_dtype(t.scalar_type());
  const int64_t step = dims_[1] * column * static_cast<int64_t>(t.element_size());
  for (int64_t block = first; block < first + count; ++block) {
    TORCH_INTERNAL_ASSERT(used_ < kMost);
    auto& strides = strides_[used_++] = {row, column};
    const TensorRef ref{place(static_cast<const char*>(address) + block * step), dtype, dims_, strides};
    if (output) {
      op_.out(ref);
    } else {
      op_.in(ref);
    }
  }
}

Blocks& Blocks::in(const at::Tensor& t, int64_t first, int64_t count) {
  if (t.defined()) add(t, t.const_data_ptr(), first, count, false);
  return *this;
}
Blocks& Blocks::out(const at::Tensor& t, int64_t first, int64_t count) {
  if (t.defined()) add(t, t.mutable_data_ptr(), first, count, true);
  return *this;
}

void Blocks::run(const Tape& tape, c10::DeviceIndex device) {
  op_.tape(tape, dims_);
  adapter::run(op_, device);
}

}  // namespace oncilla::adapter
