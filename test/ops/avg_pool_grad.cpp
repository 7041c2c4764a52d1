// Cases of AVG_POOL_GRAD.
#include "ops/pooling.hpp"

namespace oncilla::test {

void cases_avg_pool_grad(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    const auto add = [&](const PoolShape& shape, bool count_include_pad, int64_t divisor) {
      Case c = avg_pool_case(dtype, shape, count_include_pad, divisor);
      c.forward = std::make_shared<Case>(c);
      c.op = ONC_OP_AVG_POOL_GRAD;
      c.name.replace(0, 8, "avg_pool_grad");
      c.in = {tensor(dtype, shape.y(), Domain::any, shape.layout)};
      c.out = {tensor(dtype, shape.x, {}, shape.layout)};
      c.gradients = {{0, 0}};
      cases.push_back(c);
    };
    for (const PoolShape& shape : pool_shapes()) {
      add(shape, false, 0);
      add(shape, true, 0);
    }
    add({{1, 2, 7, 9}, {3, 3}, {2, 2}, {1, 1}, {1, 1}}, true, 5);
    add({{1, 2, 5, 7, 9}, {3, 3, 2}, {2, 2, 1}, {1, 1, 1}, {1, 1, 1}}, false, 7);
  }
}

}  // namespace oncilla::test
