// Cases of ADAPTIVE_MAX_POOL.
#include <cmath>

#include "ops/pooling.hpp"

namespace oncilla::test {

void cases_adaptive_max_pool(Cases& cases) {
  const auto add = [&](uint32_t dtype, const AdaptiveShape& shape, const Fill& fill, const char* what) -> Case& {
    Case c;
    c.op = ONC_OP_ADAPTIVE_MAX_POOL;
    c.name = std::string("adaptive_max_pool/") + dtype_name(dtype) + " " + shape.name() + what;
    c.in = {tensor(dtype, shape.x, fill, shape.layout)};
    c.out = {tensor(dtype, shape.y(), {}, shape.layout), tensor(ONC_I64, shape.y(), {}, shape.layout)};
    c.tolerance = Tolerance::exact;
    cases.push_back(c);
    return cases.back();
  };
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const AdaptiveShape& shape : adaptive_shapes()) add(dtype, shape, {}, "");
    const AdaptiveShape odd{{2, 2, 5, 7}, {3, 4}};
    add(dtype, odd, Domain::small_int, " many equals");
    add(dtype, odd, list({-INFINITY}), " minus infinity");
    add(dtype, odd, list({1, 2, NAN, 4, 5, 3, 7, 2, 1, 8, 6, INFINITY, 3, NAN, 5, 6, 1}), " NaN and infinity");
    add(dtype, odd, list({-0.0, 0.0, -0.0}), " signed zeros");
  }
  // torch.nn.functional.adaptive_max_pool1d(x, 3, return_indices=True)
  Case& known = add(ONC_F32, {{1, 1, 7}, {3}}, list({3, 1, 4, 1, 5, 9, 2}), " known");
  known.known = {{0, {4, 5, 9}}, {1, {2, 4, 5}}};
}

}  // namespace oncilla::test
