// Mantissa and exponent of floating numbers.
#include "torch/kernel.hpp"

#include <ATen/ops/frexp_ops.h>

#include "torch/arguments.hpp"
#include "torch/pointwise.hpp"

namespace oncilla::adapter {
namespace {

std::tuple<at::Tensor&, at::Tensor&> frexp_out(const at::Tensor& self, at::Tensor& mantissa, at::Tensor& exponent) {
  TORCH_CHECK(self.is_floating_point(), "torch.frexp() only supports floating-point dtypes");
  TORCH_CHECK(mantissa.dtype() == self.dtype(), "torch.frexp() expects mantissa to have dtype ", self.dtype(), " but got ",
              mantissa.dtype());
  TORCH_CHECK(exponent.scalar_type() == at::kInt, "torch.frexp() expects exponent to have int dtype but got ", exponent.dtype());
  need_floating(self, "frexp");
  auto iter = at::TensorIteratorConfig()
                  .set_check_mem_overlap(true)
                  .check_all_same_dtype(false)
                  .add_output(mantissa)
                  .add_output(exponent)
                  .add_const_input(self)
                  .build();
  pointwise(iter, self.scalar_type(), {}, [](Ctx& c) {
    c.out(frexp_mantissa(c.x(0)));
    c.out(c.tape.cast(frexp_exponent(c.x(0)), ONC_I32));
    return Value();
  });
  return {mantissa, exponent};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) { kernel<at::_ops::frexp_Tensor_out, frexp_out>(m); }

}  // namespace oncilla::adapter
