// Cases of MAX_POOL, and the geometries that all poolings share.
#include <cmath>

#include "ops/pooling.hpp"

namespace oncilla::test {

std::string PoolShape::name() const {
  const auto pair = [](const char* what, const int64_t* v) {
    return std::string(" ") + what + " " + std::to_string(v[0]) + "," + std::to_string(v[1]);
  };
  return dims_name(x()) + pair("kernel", kernel) + pair("stride", stride) + (pad[0] || pad[1] ? pair("pad", pad) : "") +
         (dilation[0] > 1 || dilation[1] > 1 ? pair("dilation", dilation) : "") + (ceil ? " ceil" : "") +
         (layout == Layout::contiguous ? "" : std::string(" ") + layout_name(layout));
}

const std::vector<PoolShape>& pool_shapes() {
  static const std::vector<PoolShape> shapes = {
      {1, 1, 1, 1, {1, 1}, {1, 1}, {0, 0}, {1, 1}},
      {2, 3, 8, 8, {2, 2}, {2, 2}, {0, 0}, {1, 1}},
      {2, 3, 7, 5, {2, 2}, {2, 2}, {0, 0}, {1, 1}},
      {2, 3, 7, 5, {2, 2}, {2, 2}, {0, 0}, {1, 1}, true},
      {1, 2, 11, 13, {3, 3}, {2, 2}, {1, 1}, {1, 1}},
      {1, 2, 11, 13, {3, 3}, {1, 1}, {1, 1}, {1, 1}},  // overlapping windows
      {1, 2, 11, 13, {3, 5}, {3, 1}, {1, 2}, {1, 1}, true},
      {1, 2, 7, 7, {2, 2}, {3, 3}, {0, 0}, {1, 1}},  // some inputs under no window
      {1, 2, 9, 6, {3, 2}, {5, 4}, {1, 1}, {1, 1}, true},
      {2, 1, 5, 6, {5, 6}, {1, 1}, {0, 0}, {1, 1}},
      {0, 3, 8, 8, {2, 2}, {2, 2}, {0, 0}, {1, 1}},
      {2, 3, 8, 9, {2, 3}, {2, 2}, {0, 1}, {1, 1}, false, Layout::channels_last},
      {2, 3, 8, 9, {2, 3}, {2, 2}, {1, 1}, {1, 1}, false, Layout::strided},
      {2, 3, 8, 9, {3, 3}, {2, 2}, {1, 1}, {1, 1}, false, Layout::reversed},
      {2, 33, 24, 24, {2, 2}, {2, 2}, {0, 0}, {1, 1}},
      {1, 5, 65, 67, {3, 3}, {2, 2}, {1, 1}, {1, 1}},
  };
  return shapes;
}

onc_pool_attrs pool_attrs(const PoolShape& shape) {
  onc_pool_attrs attrs{};
  attrs.spatial_rank = 2;
  for (int d = 0; d < 2; ++d) {
    attrs.kernel[d] = shape.kernel[d];
    attrs.stride[d] = shape.stride[d];
    attrs.pad[d] = shape.pad[d];
    attrs.dilation[d] = shape.dilation[d];
  }
  return attrs;
}

Case max_pool_case(uint32_t dtype, const PoolShape& shape, const Fill& fill, bool index, const char* what) {
  Case c;
  c.op = ONC_OP_MAX_POOL;
  c.name = std::string("max_pool/") + dtype_name(dtype) + " " + shape.name() + (index ? "" : " without index") + what;
  c.set_attrs(pool_attrs(shape));
  c.in = {tensor(dtype, shape.x(), fill, shape.layout)};
  c.out = {tensor(dtype, shape.y(), {}, shape.layout), index ? tensor(ONC_I64, shape.y(), {}, shape.layout) : absent()};
  c.tolerance = Tolerance::exact;
  return c;
}

void cases_max_pool(Cases& cases) {
  const PoolShape overlapping{2, 2, 6, 7, {3, 3}, {1, 1}, {1, 1}, {1, 1}};
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const PoolShape& shape : pool_shapes()) {
      for (bool index : {true, false}) cases.push_back(max_pool_case(dtype, shape, {}, index));
    }
    cases.push_back(max_pool_case(dtype, {1, 2, 11, 13, {3, 3}, {1, 2}, {2, 2}, {2, 2}}, {}, true));
    cases.push_back(max_pool_case(dtype, {1, 2, 9, 9, {2, 3}, {2, 1}, {1, 3}, {3, 3}}, {}, true));
    cases.push_back(max_pool_case(dtype, overlapping, Domain::small_int, true, " many equals"));
    cases.push_back(max_pool_case(dtype, overlapping, list({-INFINITY}), true, " minus infinity"));
    cases.push_back(max_pool_case(dtype, overlapping, list({1, 2, NAN, 4, 5, 3, 7, 2, 1, 8, 6, INFINITY, 3, NAN, 5, 6, 1}), true,
                                  " NaN and infinity"));
    cases.push_back(max_pool_case(dtype, overlapping, list({-5, -7, -6}), true, " negative beside padding"));
  }
}

}  // namespace oncilla::test
