// Choices by a mask: where, masked_fill.
#include "torch/kernel.hpp"

#include <ATen/ops/masked_fill_ops.h>
#include <ATen/ops/result_type.h>
#include <ATen/ops/view_as_complex.h>
#include <ATen/ops/view_as_real.h>
#include <ATen/ops/where_ops.h>

#include "torch/pointwise.hpp"

namespace oncilla::adapter {
namespace {

at::Tensor where_of(const at::Tensor& condition, const at::Tensor& self, const at::Tensor& other) {
  const auto type = at::result_type(self, other);
  need_dtype(c10::toRealValueType(type));
  need_dtype(condition.scalar_type());
  TORCH_CHECK(condition.scalar_type() == at::kBool || condition.scalar_type() == at::kByte,
              "where expected condition to be a boolean tensor, but got a tensor with dtype ", condition.scalar_type());
  const auto device = condition.device().type() == kOcl ? condition.device()
                      : self.device().type() == kOcl    ? self.device()
                                                        : other.device();
  const at::Tensor none;
  // A condition that is a CPU number would be refused as a mask: it is moved.
  const at::Tensor mask = condition.dim() == 0 && condition.is_cpu() ? condition.to(device) : condition;
  if (at::isComplexType(type)) {
    const at::Tensor a = at::view_as_real(self.to(device, type)), b = at::view_as_real(other.to(device, type));
    return at::view_as_complex(where_of(mask.unsqueeze(-1), a, b));
  }
  at::TensorIterator iter = at::TensorIteratorConfig()
                                .check_all_same_dtype(false)
                                .allow_cpu_scalars(true)
                                .declare_static_dtype_and_device(type, device)
                                .add_output(none)
                                .add_const_input(mask)
                                .add_const_input(self)
                                .add_const_input(other)
                                .build();
  const at::Tensor out = iter.output();
  pointwise(iter, type, {}, [](Ctx& c) {
    const Value mask_value = c.raw(0).dtype == ONC_BOOL ? c.raw(0) : c.tape.cast(c.raw(0), ONC_BOOL);
    return where(mask_value, c.x(1), c.x(2));
  });
  return out;
}

at::Tensor& masked_fill_scalar(at::Tensor& self, const at::Tensor& mask, const at::Scalar& value) {
  need_dtype(c10::toRealValueType(self.scalar_type()));
  TORCH_CHECK(mask.scalar_type() == at::kBool, "masked_fill_ only supports boolean masks, but got mask with dtype ",
              mask.scalar_type());
  TORCH_CHECK(mask.device() == self.device() || mask.dim() == 0,
              "expected self and mask to be on the same device, but got mask on ", mask.device(), " and self on ", self.device());
  const at::Tensor there = mask.to(self.device()).expand(self.sizes());
  if (self.is_complex()) {
    const at::Tensor pairs = at::view_as_real(self);
    const auto number = value.toComplexDouble();
    pairs.select(-1, 0).masked_fill_(there, number.real());
    pairs.select(-1, 1).masked_fill_(there, number.imag());
    return self;
  }
  auto iter = at::TensorIteratorConfig()
                  .set_check_mem_overlap(false)
                  .check_all_same_dtype(false)
                  .resize_outputs(false)
                  .add_output(self)
                  .add_const_input(self)
                  .add_const_input(there)
                  .build();
  pointwise(iter, self.scalar_type(), {}, [&](Ctx& c) { return where(c.raw(1), c.s(value), c.x(0)); });
  return self;
}
at::Tensor& masked_fill_tensor(at::Tensor& self, const at::Tensor& mask, const at::Tensor& value) {
  TORCH_CHECK(value.dim() == 0, "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with ", value.dim(),
              " dimension(s).");
  return masked_fill_scalar(self, mask, value.item());
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::where_self, where_of>(m);
  kernel<at::_ops::masked_fill__Scalar, masked_fill_scalar>(m);
  kernel<at::_ops::masked_fill__Tensor, masked_fill_tensor>(m);
}

}  // namespace oncilla::adapter
