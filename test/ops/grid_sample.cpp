// Cases of GRID_SAMPLE, and the geometries that its gradient shares.
#include <cmath>

#include "ops/gridding.hpp"

namespace oncilla::test {
namespace {

constexpr uint32_t kNearest = ONC_INTERPOLATE_NEAREST, kLinear = ONC_INTERPOLATE_LINEAR, kCubic = ONC_INTERPOLATE_CUBIC;

}  // namespace

Dims GridShape::y() const {
  Dims y{x[0], x[1]};
  y.insert(y.end(), size.begin(), size.end());
  return y;
}

Dims GridShape::grid() const {
  Dims grid{x[0]};
  grid.insert(grid.end(), size.begin(), size.end());
  grid.push_back(static_cast<int64_t>(size.size()));
  return grid;
}

std::string GridShape::name() const {
  static const char* const modes[] = {"nearest", "linear", "cubic"};
  static const char* const borders[] = {"zeros", "clamp", "reflect"};
  return std::string(modes[mode]) + " " + borders[border] + (align_corners ? " aligned " : " ") + dims_name(x) + " at " +
         dims_name(size) + (layout == Layout::contiguous ? "" : std::string(" ") + layout_name(layout));
}

std::vector<std::pair<uint32_t, GridShape>> grid_shapes() {
  std::vector<std::pair<uint32_t, GridShape>> shapes;
  const auto add = [&](uint32_t dtype, uint32_t mode, bool volumes) {
    for (uint32_t border : {ONC_BORDER_ZEROS, ONC_BORDER_CLAMP, ONC_BORDER_REFLECT}) {
      for (bool align : {false, true}) {
        if (volumes) {
          shapes.push_back({dtype, {mode, border, align, {2, 3, 3, 4, 5}, {2, 3, 5}}});
          shapes.push_back({dtype, {mode, border, align, {1, 2, 1, 5, 2}, {1, 7, 3}, Layout::strided}});
        } else {
          shapes.push_back({dtype, {mode, border, align, {2, 3, 5, 7}, {3, 11}}});
          shapes.push_back({dtype, {mode, border, align, {2, 2, 4, 1}, {5, 7}}});
        }
      }
    }
    if (volumes) return;
    shapes.push_back({dtype, {mode, ONC_BORDER_ZEROS, false, {0, 3, 5, 7}, {3, 4}}});
    shapes.push_back({dtype, {mode, ONC_BORDER_ZEROS, false, {2, 3, 5, 7}, {0, 4}}});
    for (Layout layout : {Layout::channels_last, Layout::strided, Layout::reversed})
      shapes.push_back({dtype, {mode, ONC_BORDER_REFLECT, false, {2, 3, 5, 7}, {3, 4}, layout}});
  };
  for (uint32_t mode : {kNearest, kLinear, kCubic}) add(ONC_F32, mode, false);
  for (uint32_t mode : {kNearest, kLinear}) add(ONC_F32, mode, true);
  add(ONC_F64, kLinear, false);
  add(ONC_F64, kCubic, false);
  add(ONC_F64, kLinear, true);
  add(ONC_F16, kLinear, false);
  add(ONC_BF16, kLinear, true);
  return shapes;
}

Fill grid_fill() {
  std::vector<double> values;
  for (int i = 0; i < 61; ++i) values.push_back(std::fmod(0.137 + 0.7310585 * i, 2.6) - 1.3);
  values.push_back(3.17);
  values.push_back(-5.73);
  return list(values);
}

Case grid_case(uint32_t dtype, const GridShape& shape, const Fill& grid, const char* what) {
  Case c;
  c.op = ONC_OP_GRID_SAMPLE;
  c.name = std::string("grid_sample/") + dtype_name(dtype) + " " + shape.name() + what;
  onc_grid_sample_attrs attrs{};
  attrs.mode = shape.mode;
  attrs.border = shape.border;
  attrs.align_corners = shape.align_corners;
  c.set_attrs(attrs);
  const Fill fill = shape.mode == ONC_INTERPOLATE_CUBIC ? Fill(Domain::unit) : Fill();
  c.in = {tensor(dtype, shape.x, fill, shape.layout), tensor(dtype, shape.grid(), grid, shape.layout)};
  c.out = {tensor(dtype, shape.y(), {}, shape.layout)};
  return c;
}

void cases_grid_sample(Cases& cases) {
  for (const auto& [dtype, shape] : grid_shapes()) cases.push_back(grid_case(dtype, shape, grid_fill()));
  for (uint32_t mode : {kNearest, kLinear, kCubic}) {
    for (uint32_t border : {ONC_BORDER_ZEROS, ONC_BORDER_CLAMP, ONC_BORDER_REFLECT}) {
      for (bool align : {false, true}) {
        const GridShape shape{mode, border, align, {2, 2, 3, 4}, {5, 5}};
        cases.push_back(
            grid_case(ONC_F32, shape, list({NAN, 0.1, 0.2, INFINITY, -INFINITY, 0.3, 0.25, 1e6, -1e20, 0.5, 0.4}), " not finite"));
        // The corners, the centers, halfway between two.
        cases.push_back(grid_case(ONC_F32, shape, list({-1, 1, 0, -0.5, 0.5, -1.25, 1.25, 0.25, -0.25, -0.75, 0.75}), " at edges"));
      }
    }
  }
  for (uint32_t mode : {kNearest, kLinear}) {
    for (uint32_t border : {ONC_BORDER_ZEROS, ONC_BORDER_CLAMP, ONC_BORDER_REFLECT})
      cases.push_back(grid_case(ONC_F32, {mode, border, false, {1, 2, 2, 3, 4}, {2, 3, 3}},
                                list({NAN, 0.1, 0.2, INFINITY, -INFINITY, 0.3, 0.25, 1e6, -1e20, 0.5}), " not finite"));
  }
  // torch.nn.functional.grid_sample(torch.arange(1., 13).reshape(1, 1, 3, 4), grid, ...) at (0.1, 0.2), (-0.9, 0.7), (1.3, -1.2).
  const auto known = [&](uint32_t mode, uint32_t border, bool align, std::vector<double> values) {
    Case c = grid_case(ONC_F32, {mode, border, align, {1, 1, 3, 4}, {1, 3}}, list({0.1, 0.2, -0.9, 0.7, 1.3, -1.2}), " known");
    c.in[0].fill = list({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    c.known = {{0, std::move(values)}};
    cases.push_back(c);
  };
  known(kNearest, ONC_BORDER_ZEROS, false, {7.0, 9.0, 0.0});
  known(kNearest, ONC_BORDER_CLAMP, true, {7.0, 9.0, 4.0});
  known(kNearest, ONC_BORDER_REFLECT, false, {7.0, 9.0, 4.0});
  known(kLinear, ONC_BORDER_ZEROS, false, {7.900001, 5.984999, 0.0});
  known(kLinear, ONC_BORDER_CLAMP, true, {7.45, 7.95, 4.0});
  known(kLinear, ONC_BORDER_REFLECT, false, {7.900001, 9.0, 3.9});
  known(kCubic, ONC_BORDER_ZEROS, false, {8.718594, 6.225594, -0.036936});
  known(kCubic, ONC_BORDER_CLAMP, true, {7.703882, 8.186347, 3.718096});
  known(kCubic, ONC_BORDER_REFLECT, false, {8.214995, 8.985003, 3.44475});
}

}  // namespace oncilla::test
