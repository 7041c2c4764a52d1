// Connectionist temporal classification. PyTorch gives lengths as lists and targets padded, [N,S], or one behind the other.
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/ops/_ctc_loss_backward_native.h>
#include <ATen/ops/_ctc_loss_backward_ops.h>
#include <ATen/ops/_ctc_loss_native.h>
#include <ATen/ops/_ctc_loss_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>

#include "torch/tensor.hpp"

namespace oncilla::adapter {
namespace {

using Ints = at::IntArrayRef;

at::Tensor on_device(Ints values, c10::Device device) {
  const at::Tensor out = at::empty({static_cast<int64_t>(values.size())}, at::TensorOptions().dtype(at::kLong).device(at::kCPU));
  if (!values.empty()) std::memcpy(out.mutable_data_ptr(), values.data(), values.size() * sizeof(int64_t));
  return out.to(device);
}

// What CTC_LOSS reads beside log_prob, [T,N,C]: targets of the longest sample's length, and lengths.
struct Samples {
  at::Tensor target, input_length, target_length;
  onc_ctc_attrs attributes{};

  Samples(const at::Tensor& log_prob, const at::Tensor& targets, Ints inputs, Ints labels, int64_t blank, bool zero_infinity) {
    // PyTorch has no CTC loss of halves on any device.
    if (log_prob.scalar_type() != at::kFloat && log_prob.scalar_type() != at::kDouble)
      throw Declined(std::string("CTC loss in ") + c10::toString(log_prob.scalar_type()));
    TORCH_CHECK(log_prob.dim() == 3 && log_prob.numel() > 0, "log_probs tensor must not be empty and have 3 dimensions, not ",
                log_prob.sizes());
    const int64_t steps = log_prob.size(0), batch = log_prob.size(1);
    TORCH_CHECK(0 <= blank && blank < log_prob.size(2), "blank must be in label range");
    TORCH_CHECK(static_cast<int64_t>(inputs.size()) == batch, "input_lengths must be of size batch_size");
    TORCH_CHECK(static_cast<int64_t>(labels.size()) == batch, "target_lengths must be of size batch_size");
    TORCH_CHECK(targets.scalar_type() == at::kLong || targets.scalar_type() == at::kInt,
                "Expected targets to have scalar type Long or Int, but got ", targets.scalar_type());
    TORCH_CHECK(targets.dim() == 1 || targets.dim() == 2, "Expected targets of 1 or 2 dimensions, not ", targets.dim());
    int64_t longest = 0, all = 0;
    for (int64_t n = 0; n < batch; ++n) {
      const int64_t length = labels[static_cast<size_t>(n)], input = inputs[static_cast<size_t>(n)];
      TORCH_CHECK(length >= 0, "Expected target_lengths to have value at least 0, but got value ", length);
      TORCH_CHECK(input >= 0, "Expected input_lengths to have value at least 0, but got value ", input);
      TORCH_CHECK(input <= steps, "Expected input_lengths to have value at most ", steps, ", but got value ", input);
      longest = std::max(longest, length);
      all += length;
    }
    const at::Tensor given = targets.to(log_prob.device(), at::kLong);
    if (given.dim() == 2) {
      TORCH_CHECK(given.size(0) == batch && given.size(1) >= longest, "Expected targets of at least [", batch, ", ", longest,
                  "], but got ", given.sizes());
      target = given.narrow(1, 0, longest);
    } else {
      TORCH_CHECK(given.size(0) == all, "Expected targets of ", all, " elements, but got ", given.size(0));
      target = at::zeros({batch, longest}, given.options());
      for (int64_t n = 0, at = 0; n < batch; ++n) {
        const int64_t length = labels[static_cast<size_t>(n)];
        if (length > 0) target.select(0, n).narrow(0, 0, length).copy_(given.narrow(0, at, length));
        at += length;
      }
    }
    input_length = on_device(inputs, log_prob.device());
    target_length = on_device(labels, log_prob.device());
    attributes.blank = blank;
    attributes.zero_infinity = zero_infinity;
  }
};

std::tuple<at::Tensor, at::Tensor> ctc_loss(const at::Tensor& log_prob, const at::Tensor& targets, Ints inputs, Ints labels,
                                            int64_t blank, bool zero_infinity) {
  const Samples s(log_prob, targets, inputs, labels, blank, zero_infinity);
  const int64_t batch = log_prob.size(1);
  const at::Tensor loss = at::empty({batch}, log_prob.options());
  const at::Tensor log_alpha = at::empty({batch, log_prob.size(0), 2 * s.target.size(1) + 1}, log_prob.options());
  Op op(ONC_OP_CTC_LOSS);
  op.in(in_ref(log_prob)).in(in_ref(s.target)).in(in_ref(s.input_length)).in(in_ref(s.target_length));
  op.out(out_ref(loss)).out(out_ref(log_alpha)).attrs(s.attributes);
  run(op, log_prob.device().index());
  return {loss, log_alpha};
}

at::Tensor ctc_loss_grad(const at::Tensor& grad, const at::Tensor& log_prob, const at::Tensor& targets, Ints inputs, Ints labels,
                         const at::Tensor& loss, const at::Tensor& log_alpha, int64_t blank, bool zero_infinity) {
  const Samples s(log_prob, targets, inputs, labels, blank, zero_infinity);
  const at::Tensor out = at::empty(log_prob.sizes(), log_prob.options());
  Op op(ONC_OP_CTC_LOSS_GRAD);
  op.in(in_ref(grad)).in(in_ref(log_prob)).in(in_ref(s.target)).in(in_ref(s.input_length)).in(in_ref(s.target_length));
  op.in(in_ref(loss)).in(in_ref(log_alpha)).out(out_ref(out)).attrs(s.attributes);
  run(op, log_prob.device().index());
  return out;
}

// Lengths as tensors: the host reads them, as on the CPU.
std::tuple<at::Tensor, at::Tensor> ctc_loss_tensors(const at::Tensor& log_prob, const at::Tensor& targets, const at::Tensor& inputs,
                                                    const at::Tensor& labels, int64_t blank, bool zero_infinity) {
  return at::native::ctc_loss_tensor(log_prob, targets, inputs, labels, blank, zero_infinity);
}
at::Tensor ctc_loss_tensors_grad(const at::Tensor& grad, const at::Tensor& log_prob, const at::Tensor& targets,
                                 const at::Tensor& inputs, const at::Tensor& labels, const at::Tensor& loss,
                                 const at::Tensor& log_alpha, int64_t blank, bool zero_infinity) {
  return at::native::ctc_loss_backward_tensor(grad, log_prob, targets, inputs, labels, loss, log_alpha, blank, zero_infinity);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::_ctc_loss, ctc_loss>(m);
  kernel<at::_ops::_ctc_loss_backward, ctc_loss_grad>(m);
  kernel<at::_ops::_ctc_loss_Tensor, ctc_loss_tensors>(m);
  kernel<at::_ops::_ctc_loss_backward_Tensor, ctc_loss_tensors_grad>(m);
}

}  // namespace oncilla::adapter
