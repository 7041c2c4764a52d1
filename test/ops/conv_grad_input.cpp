// Cases of CONV_GRAD_INPUT.
#include "ops/convolution.hpp"

namespace oncilla::test {

void cases_conv_grad_input(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const ConvShape& shape : conv_shapes()) {
      const bool integers = long_sums(shape);
      Case c = conv_case(dtype, shape, false, integers);
      c.forward = std::make_shared<Case>(c);
      c.op = ONC_OP_CONV_GRAD_INPUT;
      c.name.replace(0, 4, "conv_grad_input");
      c.in = {tensor(dtype, shape.y(), integers ? Domain::small_int : Domain::any, shape.layout), c.in[1]};
      c.out = {tensor(dtype, shape.x(), {}, shape.layout)};
      c.feeds = {{1, false, 1}};
      c.gradients = {{0, 0}};
      cases.push_back(c);
    }
    const ConvShape shape{2, 3, 7, 5, 4, 3, 3, {2, 2}, {1, 1}, {1, 1}};
    Case mixed = conv_case(dtype, shape, false, false);
    mixed.op = ONC_OP_CONV_GRAD_INPUT;
    mixed.name.replace(0, 4, "conv_grad_input");
    mixed.name += " expanded grad_out, w reversed, grad_in channels_last";
    mixed.in = {tensor(dtype, shape.y(), Domain::any, Layout::contiguous, 15),
                tensor(dtype, shape.weight(), Domain::any, Layout::reversed)};
    mixed.out = {tensor(dtype, shape.x(), {}, Layout::channels_last)};
    cases.push_back(mixed);
  }
}

}  // namespace oncilla::test
