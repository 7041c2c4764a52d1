// Cases of ADAPTIVE_AVG_POOL_GRAD.
#include "ops/pooling.hpp"

namespace oncilla::test {

void cases_adaptive_avg_pool_grad(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const AdaptiveShape& shape : adaptive_shapes()) {
      Case c = adaptive_avg_pool_case(dtype, shape);
      c.forward = std::make_shared<Case>(c);
      c.op = ONC_OP_ADAPTIVE_AVG_POOL_GRAD;
      c.name.replace(0, 17, "adaptive_avg_pool_grad");
      c.in = {tensor(dtype, shape.y(), {}, shape.layout)};
      c.out = {tensor(dtype, shape.x, {}, shape.layout)};
      c.gradients = {{0, 0}};
      cases.push_back(c);
    }
  }
}

}  // namespace oncilla::test
