// Cases of PAD_GRAD.
#include "ops/padding.hpp"

namespace oncilla::test {

void cases_pad_grad(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    const auto add = [&](const PadShape& shape, const char* what) -> Case& {
      Case c = pad_case(dtype, shape, {}, scalar(0.5), what);
      c.forward = std::make_shared<Case>(c);
      c.op = ONC_OP_PAD_GRAD;
      c.name.replace(0, 3, "pad_grad");
      // In many dims an element has hundreds of terms: their sum is exact with small integers.
      const Fill fill = shape.x.size() > 5 ? Fill(Domain::small_int) : Fill();
      c.in = {tensor(dtype, shape.y(), fill, shape.layout)};
      c.out = {tensor(dtype, shape.x, {}, shape.layout)};
      c.gradients = {{0, 0}};
      c.scalars.clear();
      c.tolerance = Tolerance::standard;
      cases.push_back(c);
      return cases.back();
    };
    for (const PadShape& shape : pad_shapes()) add(shape, "");
    Case& mixed = add({ONC_PAD_CIRCULAR, {2, 3, 4, 5}, {0, 0, 1, 2}, {0, 0, 3, 4}}, " expanded grad_out, grad_in channels_last");
    mixed.in[0].broadcast = 15;
    mixed.gradients.clear();
    mixed.out[0].layout = Layout::channels_last;
  }
}

}  // namespace oncilla::test
