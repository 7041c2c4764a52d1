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
  c.in = {tensor(dtype, shape.x, {}, shape.layout)};
  c.out = {tensor(dtype, shape.y(), {}, shape.layout)};
  return c;
}

void cases_avg_pool(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const PoolShape& shape : pool_shapes()) {
      cases.push_back(avg_pool_case(dtype, shape, false, 0));
      cases.push_back(avg_pool_case(dtype, shape, true, 0));
    }
    cases.push_back(avg_pool_case(dtype, {{1, 2, 7, 9}, {3, 3}, {2, 2}, {1, 1}, {1, 1}}, true, 5));
    cases.push_back(avg_pool_case(dtype, {{1, 2, 5, 7, 9}, {3, 3, 2}, {2, 2, 1}, {1, 1, 1}, {1, 1, 1}}, false, 7));
  }
  // torch.nn.functional.avg_pool1d(torch.arange(1., 6).reshape(1, 1, 5), 3, 2, 1, ceil_mode=False, count_include_pad=...)
  for (bool include : {false, true}) {
    Case c = avg_pool_case(ONC_F32, {{1, 1, 5}, {3}, {2}, {1}, {1}}, include, 0);
    c.name += " known";
    c.in[0].fill = list({1, 2, 3, 4, 5});
    c.known = {{0, include ? std::vector<double>{1, 3, 3} : std::vector<double>{1.5, 3, 4.5}}};
    cases.push_back(c);
  }
}

}  // namespace oncilla::test
