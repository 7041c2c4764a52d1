// Cases of AVG_POOL.
#include "ops/pooling.hpp"

namespace oncilla::test {

Case avg_pool_case(uint32_t dtype, const PoolShape& shape, bool count_include_pad, int64_t divisor) {
  Case c;
  c.op = ONC_OP_AVG_POOL;
  c.name = std::string("avg_pool/") + dtype_name(dtype) + " " + shape.name() + (count_include_pad ? " with padding" : "") +
           (divisor ? " divisor " + std::to_string(divisor) : "");
  onc_pool_attrs attrs = pool_attrs(shape);
  attrs.count_include_pad = count_include_pad;
  attrs.divisor_override = divisor;
  c.set_attrs(attrs);
  c.in = {tensor(dtype, shape.x(), {}, shape.layout)};
  c.out = {tensor(dtype, shape.y(), {}, shape.layout)};
  return c;
}

void cases_avg_pool(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const PoolShape& shape : pool_shapes()) {
      cases.push_back(avg_pool_case(dtype, shape, false, 0));
      cases.push_back(avg_pool_case(dtype, shape, true, 0));
    }
    cases.push_back(avg_pool_case(dtype, {1, 2, 7, 9, {3, 3}, {2, 2}, {1, 1}, {1, 1}}, true, 5));
  }
}

}  // namespace oncilla::test
