// Cases of UPSAMPLE, and the geometries that its gradient shares.
#include <cmath>

#include "ops/upsampling.hpp"

namespace oncilla::test {
namespace {

constexpr uint32_t kNearest = ONC_INTERPOLATE_NEAREST, kLinear = ONC_INTERPOLATE_LINEAR, kCubic = ONC_INTERPOLATE_CUBIC,
                   kExact = ONC_INTERPOLATE_NEAREST_EXACT;

}  // namespace

Dims UpsampleShape::y() const {
  Dims y{x[0], x[1]};
  y.insert(y.end(), size.begin(), size.end());
  return y;
}

std::string UpsampleShape::name() const {
  static const char* const names[] = {"nearest", "linear", "cubic", "nearest-exact"};
  std::string text = std::string(names[mode]) + " " + dims_name(x) + " to " + dims_name(size);
  for (double s : scale) text += " scale " + std::to_string(s);
  return text + (align_corners ? " aligned" : "") + (antialias ? " antialias" : "") +
         (layout == Layout::contiguous ? "" : std::string(" ") + layout_name(layout));
}

const std::vector<UpsampleShape>& upsample_shapes() {
  static const std::vector<UpsampleShape> shapes = [] {
    std::vector<UpsampleShape> all;
    for (uint32_t mode : {kNearest, kExact, kLinear}) {
      all.push_back({mode, {2, 3, 5}, {11}});
      all.push_back({mode, {2, 3, 11}, {4}});
      all.push_back({mode, {2, 3, 1}, {7}});
      all.push_back({mode, {2, 3, 5}, {12}, false, false, {2.5}});
      all.push_back({mode, {1, 2, 3, 4, 5}, {5, 9, 7}});
      all.push_back({mode, {1, 2, 5, 4, 7}, {2, 8, 3}, false, false, {0.4, 2.0, 0.5}});
      all.push_back({mode, {1, 2, 3, 4, 5}, {5, 3, 7}, false, false, {}, Layout::channels_last});
    }
    for (uint32_t mode : {kNearest, kExact, kLinear, kCubic}) {
      all.push_back({mode, {2, 3, 4, 5}, {8, 10}});
      all.push_back({mode, {2, 3, 5, 7}, {13, 11}});
      all.push_back({mode, {2, 3, 11, 13}, {5, 7}});
      all.push_back({mode, {2, 3, 5, 7}, {5, 7}});
      all.push_back({mode, {1, 1, 1, 1}, {1, 1}});
      all.push_back({mode, {1, 2, 5, 1}, {1, 5}});
      all.push_back({mode, {0, 2, 5, 7}, {3, 4}});
      // Factors that do not give the size back: 5 * 1.3 = 6.5, 7 * 2.6 = 18.2.
      all.push_back({mode, {2, 2, 5, 7}, {6, 18}, false, false, {1.3, 2.6}});
      all.push_back({mode, {2, 2, 5, 7}, {5, 7}, false, false, {1.1, 1.0}});
      all.push_back({mode, {2, 3, 5, 7}, {9, 4}, false, false, {}, Layout::channels_last});
      all.push_back({mode, {2, 3, 5, 7}, {9, 4}, false, false, {}, Layout::strided});
      all.push_back({mode, {2, 3, 5, 7}, {9, 4}, false, false, {}, Layout::reversed});
      all.push_back({mode, {1, 17, 16, 18}, {31, 36}});
    }
    all.push_back({kLinear, {2, 3, 5}, {9}, true});
    all.push_back({kLinear, {2, 3, 7}, {1}, true});
    all.push_back({kLinear, {1, 2, 3, 4, 5}, {5, 1, 9}, true});
    for (uint32_t mode : {kLinear, kCubic}) {
      all.push_back({mode, {2, 3, 5, 7}, {9, 13}, true});
      all.push_back({mode, {2, 3, 11, 13}, {4, 1}, true});
      all.push_back({mode, {2, 2, 1, 3}, {4, 4}, true});
      // With antialias.
      all.push_back({mode, {2, 3, 11, 13}, {4, 5}, false, true});
      all.push_back({mode, {2, 3, 5, 7}, {9, 13}, false, true});
      all.push_back({mode, {1, 2, 24, 7}, {3, 14}, false, true});
      all.push_back({mode, {1, 2, 11, 13}, {4, 5}, true, true});
      all.push_back({mode, {1, 2, 11, 13}, {4, 5}, false, true, {0.4, 0.4}});
      all.push_back({mode, {1, 2, 5, 13}, {5, 5}, false, true, {1.1, 0.4}});  // one dim keeps its size
      all.push_back({mode, {1, 2, 11, 13}, {4, 5}, false, true, {}, Layout::channels_last});
    }
    return all;
  }();
  return shapes;
}

Case upsample_case(uint32_t dtype, const UpsampleShape& shape, const Fill& fill, const char* what) {
  Case c;
  c.op = ONC_OP_UPSAMPLE;
  c.name = std::string("upsample/") + dtype_name(dtype) + " " + shape.name() + what;
  onc_upsample_attrs attrs{};
  attrs.spatial_rank = static_cast<uint32_t>(shape.size.size());
  attrs.mode = shape.mode;
  attrs.align_corners = shape.align_corners;
  attrs.antialias = shape.antialias;
  for (size_t d = 0; d < shape.scale.size(); ++d) attrs.scale[d] = 1 / shape.scale[d];
  c.set_attrs(attrs);
  c.in = {tensor(dtype, shape.x, fill, shape.layout)};
  c.out = {tensor(dtype, shape.y(), {}, shape.layout)};
  return c;
}

void cases_upsample(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const UpsampleShape& shape : upsample_shapes()) cases.push_back(upsample_case(dtype, shape));
    for (uint32_t mode : {kNearest, kExact, kLinear, kCubic}) {
      Case special = upsample_case(dtype, {mode, {1, 2, 5, 7}, {9, 4}}, list({1, 2, NAN, 4, 5, INFINITY, 7, -INFINITY, 8, 9, 3}),
                                   " NaN and infinity");
      cases.push_back(special);
    }
  }
  // torch.nn.functional.interpolate(torch.arange(1., 7).reshape(1, 1, 2, 3), ...): the first row.
  const auto known = [&](const UpsampleShape& shape, std::vector<double> row) {
    Case c = upsample_case(ONC_F32, shape, list({1, 2, 3, 4, 5, 6}), " known");
    c.known = {{0, std::move(row)}};
    cases.push_back(c);
  };
  known({kNearest, {1, 1, 2, 3}, {3, 7}}, {1.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0});
  known({kExact, {1, 1, 2, 3}, {3, 7}}, {1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0});
  known({kNearest, {1, 1, 2, 3}, {3, 7}, false, false, {1.5, 2.6}}, {1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0});
  known({kLinear, {1, 1, 2, 3}, {3, 7}}, {1.0, 1.1428572, 1.5714285, 2.0, 2.4285715, 2.8571429, 3.0});
  known({kLinear, {1, 1, 2, 3}, {3, 7}, true}, {1.0, 1.3333333, 1.6666667, 2.0, 2.3333335, 2.6666667, 3.0});
  known({kCubic, {1, 1, 2, 3}, {3, 5}}, {0.6435835, 1.055584, 1.7395837, 2.423584, 2.8355842});
  known({kCubic, {1, 1, 2, 3}, {4, 2}, true}, {1.0, 3.0});
  known({kLinear, {1, 1, 2, 3}, {1, 2}, false, true}, {2.875, 4.125});
  known({kCubic, {1, 1, 2, 3}, {1, 2}, false, true}, {2.8097911, 4.1902084});
}

}  // namespace oncilla::test
