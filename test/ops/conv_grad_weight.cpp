// Cases of CONV_GRAD_WEIGHT.
#include <cmath>

#include "ops/convolution.hpp"

namespace oncilla::test {
namespace {

// An infinity in the image or the gradient reaches just the weights that it is multiplied with; padding is not multiplied.
void extremes(Cases& cases, uint32_t dtype) {
  for (const ConvShape& shape : {ConvShape{{1, 1, 4, 5}, {1, 3, 3}, {}, {1}}, ConvShape{{2, 1, 7, 9}, {2, 3, 3}, {2}, {1}},
                                 ConvShape{{1, 1, 5, 40}, {2, 3, 3}}, ConvShape{{1, 3, 5, 4}, {3, 3, 3}, {}, {1}, {}, 3},
                                 ConvShape{{1, 1, 3, 4, 3}, {1, 2, 3, 2}, {}, {1}}, ConvShape{{2, 2, 9}, {2, 3}, {}, {1}}}) {
    for (int which : {0, 1}) {
      for (double value : {static_cast<double>(INFINITY), static_cast<double>(NAN)}) {
        Case c = conv_gradient_case(dtype, shape, Wrt::weight);
        c.name += std::string(which == 0 ? " grad_out " : " x ") + (value == value ? "infinite" : "NaN");
        c.forward = nullptr;
        c.feeds.clear();
        c.gradients.clear();
        std::vector<double> values{value};
        for (int i = 0; i < 63; ++i) values.push_back(i % 7 - 3);
        c.in[static_cast<size_t>(which)].fill = list(values);
        cases.push_back(c);
      }
    }
  }
}

}  // namespace

void cases_conv_grad_weight(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const ConvShape& shape : conv_shapes()) cases.push_back(conv_gradient_case(dtype, shape, Wrt::weight));
    extremes(cases, dtype);
    const ConvShape shape{{2, 3, 7, 5}, {4, 3, 3}, {2}, {1}};
    Case mixed = conv_case(dtype, shape, Bias::none, false);
    mixed.op = ONC_OP_CONV_GRAD_WEIGHT;
    mixed.name.replace(0, 4, "conv_grad_weight");
    mixed.name += " expanded grad_out, x channels_last, grad_w reversed";
    mixed.in = {tensor(dtype, shape.y(), Domain::any, Layout::contiguous, 15),
                tensor(dtype, shape.x(), Domain::any, Layout::channels_last)};
    mixed.out = {tensor(dtype, shape.weight(), {}, Layout::reversed)};
    cases.push_back(mixed);
  }
}

}  // namespace oncilla::test
