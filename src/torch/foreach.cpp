// Multi-tensor ops: from lists to a FOREACH op.
#include "torch/foreach.hpp"

#include <ATen/ops/empty.h>

#include "torch/arguments.hpp"

namespace oncilla::adapter {
namespace {
const int64_t kOne = 1;
}

Each::Each(at::ArrayRef<at::Tensor> like) : dtype(tape_dtype(like[0].scalar_type())), device_(like[0].device().index()) {
  for (size_t i = 0; i < like.size(); ++i) {
    if (like[i].numel() > 0) kept_.push_back(i);
  }
  for (size_t i : kept_) call_.numels.push_back(like[i].numel());
}

const char* Each::why_not(at::ArrayRef<at::Tensor> like, at::ArrayRef<at::Tensor> list) {
  if (list.size() != like.size()) return "lists of different lengths";
  for (size_t i = 0; i < list.size(); ++i) {
    const at::Tensor& a = like[i];
    const at::Tensor& b = list[i];
    if (!b.defined() || b.device() != like[0].device() || b.device().type() != kOcl) return "tensors on other devices";
    if (b.scalar_type() != list[0].scalar_type()) return "mixed dtypes";
    if (b.sizes() != a.sizes()) return "different sizes";
    if (b.strides() != a.strides() || !b.is_non_overlapping_and_dense()) return "memory that is not dense or not laid out alike";
    if (b.is_neg() || b.is_conj()) return "a negative view";
  }
  return nullptr;
}

Value Each::input(ForeachList list) {
  const Value value = tape.input(list.dtype);
  call_.in.push_back(std::move(list));
  return value.dtype == dtype ? value : tape.cast(value, dtype);
}

Value Each::list(at::ArrayRef<at::Tensor> tensors) {
  ForeachList list{{}, need_dtype(tensors[0].scalar_type()), false};
  for (size_t i : kept_) list.at.push_back(place(tensors[i].const_data_ptr()));
  return input(std::move(list));
}

Value Each::list_of_one(at::ArrayRef<at::Tensor> tensors) {
  ForeachList list{{}, need_dtype(tensors[0].scalar_type()), true};
  for (size_t i : kept_) {
    const at::Tensor& t = tensors[i];
    TORCH_CHECK(t.numel() == 1 && t.device().type() == kOcl, "[foreach] expected a tensor of one element on the device, but got ",
                t.sizes(), " on ", t.device());
    list.at.push_back(place(t.const_data_ptr()));
  }
  return input(std::move(list));
}

Value Each::broadcast(const at::Tensor& tensor) {
  TORCH_CHECK(tensor.numel() == 1, "[foreach] expected a tensor of one element, but got ", tensor.sizes());
  if (tensor.is_cpu()) return shared(tensor.item());
  const std::vector<onc_arg> at(kept_.size(), place(tensor.const_data_ptr()));
  return input({at, need_dtype(tensor.scalar_type()), true});
}

Value Each::shared(const c10::Scalar& value) { return shared_.next(tape, dtype, value); }

Value Each::per_tensor(at::ArrayRef<c10::Scalar> values) {
  std::vector<onc_scalar> kept(kept_.size());
  for (size_t k = 0; k < kept.size(); ++k) {
    if (dtype == ONC_F32 || dtype == ONC_F64) {
      kept[k].f = values[kept_[k]].toDouble();
    } else {
      kept[k].i = values[kept_[k]].to<int64_t>();
    }
  }
  call_.tensor_scalars.push_back(std::move(kept));
  return tape.tensor_scalar(dtype);
}

void Each::out(Value value, at::ArrayRef<at::Tensor> tensors) {
  ForeachList list{{}, need_dtype(tensors[0].scalar_type()), false};
  for (size_t i : kept_) list.at.push_back(place(tensors[i].mutable_data_ptr()));
  call_.out.push_back(std::move(list));
  tape.output(value);
}

void Each::run() {
  if (kept_.empty()) return;
  call_.tape = std::move(tape);
  call_.scalars.assign(shared_.values().begin(), shared_.values().end());
  Queue* queue = queue_of(device_);
  translated([&] { queue->foreach_call(std::move(call_)); });
}

at::Tensor norms_of(at::ArrayRef<at::Tensor> tensors, uint32_t kind) {
  const auto type = tensors[0].scalar_type();
  const at::Tensor norms = at::empty({static_cast<int64_t>(tensors.size())}, tensors[0].options().dtype(wide_of(type)));
  onc_foreach_norm_attrs attrs{};
  attrs.kind = kind;
  std::vector<int64_t> numels;
  for (const at::Tensor& t : tensors) numels.push_back(t.numel());
  Op op(ONC_OP_FOREACH_NORM);
  for (size_t i = 0; i < tensors.size(); ++i)
    op.in({place(tensors[i].const_data_ptr()), need_dtype(type), {&numels[i], 1}, {&kOne, 1}});
  op.out(out_ref(norms)).attrs(attrs);
  adapter::run(op, norms.device().index());
  return norms;
}

}  // namespace oncilla::adapter
