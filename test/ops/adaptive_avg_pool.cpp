// Cases of ADAPTIVE_AVG_POOL, and the geometries that all adaptive poolings share.
#include <cmath>

#include "ops/pooling.hpp"

namespace oncilla::test {

Dims AdaptiveShape::y() const {
  Dims y{x[0], x[1]};
  y.insert(y.end(), size.begin(), size.end());
  return y;
}

std::string AdaptiveShape::name() const {
  return dims_name(x) + " to " + dims_name(size) + (layout == Layout::contiguous ? "" : std::string(" ") + layout_name(layout));
}

const std::vector<AdaptiveShape>& adaptive_shapes() {
  static const std::vector<AdaptiveShape> shapes = {
      {{2, 3, 7}, {1}},
      {{2, 3, 7}, {3}},
      {{2, 3, 5}, {7}},  // larger than the input
      {{2, 3, 13}, {13}},
      {{2, 3, 1}, {5}},
      {{1, 1, 1, 1}, {1, 1}},
      {{2, 3, 7, 7}, {1, 1}},
      {{2, 3, 8, 12}, {4, 3}},  // divides
      {{2, 3, 11, 13}, {4, 5}},
      {{2, 3, 5, 7}, {11, 3}},
      {{0, 3, 5, 7}, {2, 3}},
      {{2, 0, 5, 7}, {2, 3}},
      {{2, 3, 11, 13}, {4, 5}, Layout::channels_last},
      {{2, 3, 11, 13}, {4, 5}, Layout::strided},
      {{2, 3, 5, 7}, {3, 9}, Layout::reversed},
      {{2, 33, 14, 14}, {7, 7}},
      {{1, 2, 3, 5, 7}, {1, 1, 1}},
      {{1, 2, 5, 7, 11}, {2, 3, 4}},
      {{2, 1, 3, 4, 5}, {5, 2, 7}},
      {{1, 2, 5, 7, 4}, {2, 3, 3}, Layout::channels_last},
  };
  return shapes;
}

Case adaptive_avg_pool_case(uint32_t dtype, const AdaptiveShape& shape) {
  Case c;
  c.op = ONC_OP_ADAPTIVE_AVG_POOL;
  c.name = std::string("adaptive_avg_pool/") + dtype_name(dtype) + " " + shape.name();
  c.in = {tensor(dtype, shape.x, {}, shape.layout)};
  c.out = {tensor(dtype, shape.y(), {}, shape.layout)};
  return c;
}

void cases_adaptive_avg_pool(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const AdaptiveShape& shape : adaptive_shapes()) cases.push_back(adaptive_avg_pool_case(dtype, shape));
    Case special = adaptive_avg_pool_case(dtype, {{1, 1, 5, 7}, {3, 2}});
    special.name += " NaN and infinity";
    special.in[0].fill = list({1, 2, NAN, 4, 5, 6, INFINITY, 8, 9, 10, 11});
    cases.push_back(special);
  }
  // torch.nn.functional.adaptive_avg_pool1d(torch.arange(1., 8).reshape(1, 1, 7), 3)
  Case known = adaptive_avg_pool_case(ONC_F32, {{1, 1, 7}, {3}});
  known.name += " known";
  known.in[0].fill = list({1, 2, 3, 4, 5, 6, 7});
  known.known = {{0, {2, 4, 6}}};
  cases.push_back(known);
}

}  // namespace oncilla::test
