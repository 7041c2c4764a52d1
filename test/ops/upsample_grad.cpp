// Cases of UPSAMPLE_GRAD.
#include "ops/upsampling.hpp"

namespace oncilla::test {

void cases_upsample_grad(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const UpsampleShape& shape : upsample_shapes()) {
      Case c = upsample_case(dtype, shape);
      c.forward = std::make_shared<Case>(c);
      c.op = ONC_OP_UPSAMPLE_GRAD;
      c.name.replace(0, 8, "upsample_grad");
      c.in = {tensor(dtype, shape.y(), {}, shape.layout)};
      c.out = {tensor(dtype, shape.x, {}, shape.layout)};
      c.gradients = {{0, 0}};
      cases.push_back(c);
    }
  }
}

}  // namespace oncilla::test
