// Cases of MAX_POOL, and the geometries that all poolings share.
#include <cmath>

#include "ops/pooling.hpp"

namespace oncilla::test {

Dims PoolShape::y() const {
  Dims y{x[0], x[1]};
  for (size_t d = 0; d < kernel.size(); ++d) {
    // Ceil mode: a last, partial window counts if it begins inside the input or the left padding.
    const int64_t in = x[2 + d], room = in + 2 * pad[d] - dilation[d] * (kernel[d] - 1) - 1;
    int64_t out = (room + (ceil ? stride[d] - 1 : 0)) / stride[d] + 1;
    if (ceil && (out - 1) * stride[d] >= in + pad[d]) --out;
    y.push_back(out);
  }
  return y;
}

std::string PoolShape::name() const {
  const auto list = [](const char* what, const Dims& values, int64_t usual) {
    std::string text;
    bool shows = false;
    for (int64_t v : values) {
      text += (text.empty() ? "" : ",") + std::to_string(v);
      shows = shows || v != usual;
    }
    return shows ? std::string(" ") + what + " " + text : "";
  };
  return dims_name(x) + list("kernel", kernel, 0) + list("stride", stride, 0) + list("pad", pad, 0) +
         list("dilation", dilation, 1) + (ceil ? " ceil" : "") +
         (layout == Layout::contiguous ? "" : std::string(" ") + layout_name(layout));
}

const std::vector<PoolShape>& pool_shapes() {
  static const std::vector<PoolShape> shapes = {
      {{1, 1, 1, 1}, {1, 1}, {1, 1}, {0, 0}, {1, 1}},
      {{2, 3, 8, 8}, {2, 2}, {2, 2}, {0, 0}, {1, 1}},
      {{2, 3, 7, 5}, {2, 2}, {2, 2}, {0, 0}, {1, 1}},
      {{2, 3, 7, 5}, {2, 2}, {2, 2}, {0, 0}, {1, 1}, true},
      {{1, 2, 11, 13}, {3, 3}, {2, 2}, {1, 1}, {1, 1}},
      {{1, 2, 11, 13}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},  // overlapping windows
      {{1, 2, 11, 13}, {3, 5}, {3, 1}, {1, 2}, {1, 1}, true},
      {{1, 2, 7, 7}, {2, 2}, {3, 3}, {0, 0}, {1, 1}},  // some inputs under no window
      {{1, 2, 9, 6}, {3, 2}, {5, 4}, {1, 1}, {1, 1}, true},
      {{2, 1, 5, 6}, {5, 6}, {1, 1}, {0, 0}, {1, 1}},
      {{0, 3, 8, 8}, {2, 2}, {2, 2}, {0, 0}, {1, 1}},
      {{2, 3, 8, 9}, {2, 3}, {2, 2}, {0, 1}, {1, 1}, false, Layout::channels_last},
      {{2, 3, 8, 9}, {2, 3}, {2, 2}, {1, 1}, {1, 1}, false, Layout::strided},
      {{2, 3, 8, 9}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, false, Layout::reversed},
      {{2, 33, 24, 24}, {2, 2}, {2, 2}, {0, 0}, {1, 1}},
      {{1, 5, 65, 67}, {3, 3}, {2, 2}, {1, 1}, {1, 1}},
      // One dim.
      {{2, 3, 1}, {1}, {1}, {0}, {1}},
      {{2, 3, 13}, {2}, {2}, {0}, {1}},
      {{2, 3, 13}, {3}, {2}, {1}, {1}, true},
      {{3, 2, 37}, {5}, {1}, {2}, {1}},
      {{3, 2, 11}, {3}, {2}, {1}, {1}, false, Layout::strided},
      // Three.
      {{1, 1, 1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}},
      {{2, 3, 4, 6, 8}, {2, 2, 2}, {2, 2, 2}, {0, 0, 0}, {1, 1, 1}},
      {{1, 2, 5, 7, 11}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, {1, 1, 1}},
      {{1, 2, 5, 4, 7}, {2, 3, 2}, {1, 2, 3}, {1, 0, 1}, {1, 1, 1}, true},
      {{1, 1, 3, 4, 25}, {3, 2, 3}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}},
      {{2, 3, 3, 4, 5}, {2, 2, 2}, {1, 2, 2}, {1, 0, 1}, {1, 1, 1}, false, Layout::channels_last},
  };
  return shapes;
}

onc_pool_attrs pool_attrs(const PoolShape& shape) {
  onc_pool_attrs attrs{};
  attrs.spatial_rank = static_cast<uint32_t>(shape.kernel.size());
  for (size_t d = 0; d < shape.kernel.size(); ++d) {
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
  c.in = {tensor(dtype, shape.x, fill, shape.layout)};
  c.out = {tensor(dtype, shape.y(), {}, shape.layout), index ? tensor(ONC_I64, shape.y(), {}, shape.layout) : absent()};
  c.tolerance = Tolerance::exact;
  return c;
}

void cases_max_pool(Cases& cases) {
  const PoolShape overlapping{{2, 2, 6, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1}};
  const PoolShape dilated[] = {{{1, 2, 11, 13}, {3, 3}, {1, 2}, {2, 2}, {2, 2}},
                               {{1, 2, 9, 9}, {2, 3}, {2, 1}, {1, 3}, {3, 3}},
                               {{1, 2, 23}, {3}, {1}, {2}, {2}},
                               {{1, 2, 5, 7, 23}, {2, 3, 3}, {1, 2, 1}, {1, 2, 2}, {2, 2, 2}}};
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const PoolShape& shape : pool_shapes()) {
      cases.push_back(max_pool_case(dtype, shape, {}, true));
      if (dtype == ONC_F32) cases.push_back(max_pool_case(dtype, shape, {}, false));
    }
    for (const PoolShape& shape : dilated) cases.push_back(max_pool_case(dtype, shape, {}, true));
    cases.push_back(max_pool_case(dtype, overlapping, Domain::small_int, true, " many equals"));
    cases.push_back(max_pool_case(dtype, overlapping, list({-INFINITY}), true, " minus infinity"));
    cases.push_back(max_pool_case(dtype, overlapping, list({1, 2, NAN, 4, 5, 3, 7, 2, 1, 8, 6, INFINITY, 3, NAN, 5, 6, 1}), true,
                                  " NaN and infinity"));
    cases.push_back(max_pool_case(dtype, overlapping, list({-5, -7, -6}), true, " negative beside padding"));
    cases.push_back(max_pool_case(dtype, overlapping, list({-0.0, 0.0, 0.0, -0.0, -0.0}), true, " signed zeros"));
  }
  // Integers, with extremes that float32 cannot tell apart.
  for (uint32_t dtype : {ONC_I8, ONC_I32, ONC_I64, ONC_U8}) {
    cases.push_back(max_pool_case(dtype, overlapping, Domain::wide, true));
    cases.push_back(max_pool_case(dtype, {{2, 3, 8, 24}, {2, 2}, {2, 2}, {0, 0}, {1, 1}}, Domain::wide, true));
    cases.push_back(max_pool_case(dtype, overlapping, list({16777216, 16777217, 16777215}), true, " near 2^24"));
    cases.push_back(max_pool_case(dtype, {{1, 2, 5, 4, 17}, {2, 3, 2}, {1, 2, 1}, {1, 0, 1}, {1, 1, 1}}, Domain::small_int, true));
  }
  // torch.nn.functional.max_pool3d(x, 2, 1, return_indices=True) of x = [[1, 5, 2], [7, 3, 6]] over its negative.
  Case known = max_pool_case(ONC_F32, {{1, 1, 2, 2, 3}, {2, 2, 2}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}},
                             list({1, 5, 2, 7, 3, 6, -1, -5, -2, -7, -3, -6}), true, " known");
  known.known = {{0, {7, 6}}, {1, {3, 5}}};
  cases.push_back(known);
}

}  // namespace oncilla::test
