// Multi-tensor ops: one FOREACH launch over lists of dense tensors, or less, where those that follow one another are joined
// (core/joined.hpp).
#pragma once

#include <vector>

#include "core/joined.hpp"
#include "torch/pointwise.hpp"

namespace oncilla::adapter {

// Collects lists and scalars for a FOREACH tape. Tensors without elements are left out of every list.
class Each {
 public:
  // All tensors of `like` with elements; the other lists have as many tensors as it.
  explicit Each(at::ArrayRef<at::Tensor> like);

  // Why the lists cannot run as one: another device, mixed dtypes in a list, sizes that differ, memory that is not dense or not
  // laid out alike. NULL where they can.
  static const char* why_not(at::ArrayRef<at::Tensor> like, at::ArrayRef<at::Tensor> list);

  Value list(at::ArrayRef<at::Tensor> tensors);
  Value list_of_one(at::ArrayRef<at::Tensor> tensors);  // one element each, which broadcasts over the tensor
  Value broadcast(const at::Tensor& tensor);            // one element, on the device or a CPU number
  Value shared(const c10::Scalar& value);               // for all tensors
  Value per_tensor(at::ArrayRef<c10::Scalar> values);   // one a tensor of `like`
  Value c(double value) { return tape.constant(dtype, value); }
  void out(Value value, at::ArrayRef<at::Tensor> tensors);  // in the order of the calls
  void run();

  Tape tape;
  uint32_t dtype;

 private:
  ForeachList places(at::ArrayRef<at::Tensor> tensors) const;
  Value input(ForeachList list);
  std::vector<size_t> kept_;
  ForeachCall call_;  // all but its tape and shared scalars
  Scalars shared_;
  c10::DeviceIndex device_;
};

// [n]: a norm of each tensor, in float32 beside halves. kind: ONC_NORM_*. The tensors are dense, of one floating dtype, and have
// elements.
at::Tensor norms_of(at::ArrayRef<at::Tensor> tensors, uint32_t kind);

}  // namespace oncilla::adapter
