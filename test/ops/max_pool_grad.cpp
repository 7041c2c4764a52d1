// Cases of MAX_POOL_GRAD: the indices are those of the forward.
#include "ops/pooling.hpp"

namespace oncilla::test {

void cases_max_pool_grad(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    std::vector<PoolShape> shapes = pool_shapes();
    shapes.push_back({1, 2, 11, 13, {3, 3}, {1, 2}, {2, 2}, {2, 2}});
    shapes.push_back({1, 2, 9, 9, {2, 3}, {2, 1}, {1, 3}, {3, 3}});
    for (const PoolShape& shape : shapes) {
      for (bool equals : {false, true}) {
        Case c = max_pool_case(dtype, shape, equals ? Fill(Domain::small_int) : Fill(), true, equals ? " many equals" : "");
        c.forward = std::make_shared<Case>(c);
        c.op = ONC_OP_MAX_POOL_GRAD;
        c.name.replace(0, 8, "max_pool_grad");
        c.in = {tensor(dtype, shape.y(), Domain::any, shape.layout), tensor(ONC_I64, shape.y(), {}, shape.layout)};
        c.out = {tensor(dtype, shape.x(), {}, shape.layout)};
        c.feeds = {{1, true, 1}};
        if (!equals) c.gradients = {{0, 0}};  // at a tie the maximum has no derivative
        c.tolerance = Tolerance::standard;
        cases.push_back(c);
      }
    }
    const PoolShape shape{2, 2, 6, 7, {3, 3}, {1, 1}, {1, 1}, {1, 1}};
    Case mixed = max_pool_case(dtype, shape, {}, true);
    mixed.forward = std::make_shared<Case>(mixed);
    mixed.op = ONC_OP_MAX_POOL_GRAD;
    mixed.name.replace(0, 8, "max_pool_grad");
    mixed.name += " expanded grad_out, grad_in channels_last";
    mixed.in = {tensor(dtype, shape.y(), Domain::any, Layout::contiguous, 15), tensor(ONC_I64, shape.y(), {}, Layout::padded)};
    mixed.out = {tensor(dtype, shape.x(), {}, Layout::channels_last)};
    mixed.feeds = {{1, true, 1}};
    mixed.tolerance = Tolerance::standard;
    cases.push_back(mixed);
  }
}

}  // namespace oncilla::test
