// Cases of ADAPTIVE_MAX_POOL.
#include <cmath>

#include "ops/pooling.hpp"

namespace oncilla::test {

Case scattered_gradient_case(const Case& forward) {
  const auto flat = [](const Dims& dims) {
    Dims result{dims[0], dims[1], 1};
    for (size_t d = 2; d < dims.size(); ++d) result[2] *= dims[d];
    return result;
  };
  const uint32_t dtype = forward.in[0].dtype;
  const Dims x = flat(forward.in[0].dims), y = flat(forward.out[0].dims);
  Case c;
  c.op = ONC_OP_SCATTER;
  c.name = "scatter/" + std::string(dtype_name(dtype)) + " gradient of " + forward.name;
  onc_scatter_attrs attrs{};
  attrs.axis = 2;
  attrs.reduce = ONC_SCATTER_SUM;
  attrs.include_self = 1;
  c.set_attrs(attrs);
  c.in = {absent(), tensor(ONC_I64, y), tensor(dtype, y)};
  c.out = {tensor(dtype, x)};
  c.forward = std::make_shared<Case>(forward);
  c.feeds = {{1, true, 1}};
  c.gradients = {{0, 0}};
  return c;
}

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
    for (const AdaptiveShape& shape : adaptive_shapes()) {
      const Case forward = add(dtype, shape, {}, "");
      if (shape.layout == Layout::contiguous && (dtype == ONC_F32 || dtype == ONC_F64))
        cases.push_back(scattered_gradient_case(forward));
    }
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
