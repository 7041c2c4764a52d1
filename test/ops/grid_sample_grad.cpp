// Cases of GRID_SAMPLE_GRAD.
#include <cmath>

#include "ops/gridding.hpp"

namespace oncilla::test {

void cases_grid_sample_grad(Cases& cases) {
  const auto add = [&](uint32_t dtype, const GridShape& shape, const Fill& grid, const char* what, bool by_x, bool by_grid) {
    Case c = grid_case(dtype, shape, grid, what);
    c.forward = std::make_shared<Case>(c);
    c.op = ONC_OP_GRID_SAMPLE_GRAD;
    c.name.replace(0, 11, "grid_sample_grad");
    if (!by_grid) c.name += " of x";
    if (!by_x) c.name += " of grid";
    // The slopes of cubics cancel: smaller values keep that within the tolerance.
    const Fill fill = shape.mode == ONC_INTERPOLATE_CUBIC ? Fill(Domain::open_unit) : Fill();
    c.in.insert(c.in.begin(), tensor(dtype, shape.y(), fill, shape.layout));
    c.out = {by_x ? tensor(dtype, shape.x, {}, shape.layout) : absent(),
             by_grid ? tensor(dtype, shape.grid(), {}, shape.layout) : absent()};
    c.feeds = {{1, false, 0}, {2, false, 1}};
    c.labels = {"grad_x", "grad_grid"};
    if (by_x) c.gradients.push_back({0, 0});
    if (by_grid && shape.mode != ONC_INTERPOLATE_NEAREST) c.gradients.push_back({1, 1});
    cases.push_back(c);
  };
  for (const auto& [dtype, shape] : grid_shapes()) add(dtype, shape, grid_fill(), "", true, true);
  for (uint32_t mode : {ONC_INTERPOLATE_NEAREST, ONC_INTERPOLATE_LINEAR, ONC_INTERPOLATE_CUBIC}) {
    const GridShape shape{mode, ONC_BORDER_REFLECT, false, {2, 2, 3, 4}, {5, 5}};
    add(ONC_F32, shape, grid_fill(), "", true, false);
    add(ONC_F32, shape, grid_fill(), "", false, true);
    for (uint32_t border : {ONC_BORDER_ZEROS, ONC_BORDER_CLAMP, ONC_BORDER_REFLECT})
      add(ONC_F32, {mode, border, true, {2, 2, 3, 4}, {5, 5}},
          list({NAN, 0.1, 0.2, INFINITY, -INFINITY, 0.3, 0.25, 1e6, -1e20, 0.5, 0.4}), " not finite", true, true);
  }
}

}  // namespace oncilla::test
