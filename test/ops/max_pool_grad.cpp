// Cases of MAX_POOL_GRAD: the indices are those of the forward.
#include "ops/pooling.hpp"

namespace oncilla::test {

void cases_max_pool_grad(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    const auto add = [&](const PoolShape& shape, const Fill& fill, const char* what) -> Case& {
      Case c = max_pool_case(dtype, shape, fill, true, what);
      c.forward = std::make_shared<Case>(c);
      c.op = ONC_OP_MAX_POOL_GRAD;
      c.name.replace(0, 8, "max_pool_grad");
      c.in = {tensor(dtype, shape.y(), Domain::any, shape.layout), tensor(ONC_I64, shape.y(), {}, shape.layout)};
      c.out = {tensor(dtype, shape.x, {}, shape.layout)};
      c.feeds = {{1, true, 1}};
      c.tolerance = Tolerance::standard;
      cases.push_back(c);
      return cases.back();
    };
    std::vector<PoolShape> shapes = pool_shapes();
    shapes.push_back({{1, 2, 11, 13}, {3, 3}, {1, 2}, {2, 2}, {2, 2}});
    shapes.push_back({{1, 2, 9, 9}, {2, 3}, {2, 1}, {1, 3}, {3, 3}});
    shapes.push_back({{1, 2, 5, 7, 9}, {2, 3, 3}, {1, 2, 1}, {1, 2, 2}, {2, 2, 2}});
    for (const PoolShape& shape : shapes) {
      add(shape, {}, "").gradients = {{0, 0}};
      add(shape, Domain::small_int, " many equals");  // at a tie the maximum has no derivative
    }
    Case& mixed = add({{2, 2, 6, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1}}, {}, " expanded grad_out, grad_in channels_last");
    mixed.in[0].layout = Layout::contiguous;
    mixed.in[0].broadcast = 15;
    mixed.in[1].layout = Layout::padded;
    mixed.out[0].layout = Layout::channels_last;
  }
}

}  // namespace oncilla::test
