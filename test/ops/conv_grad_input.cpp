// Cases of CONV_GRAD_INPUT, which is transposed convolution as well.
#include <cmath>

#include "ops/convolution.hpp"

namespace oncilla::test {
namespace {

// As a host uses it for a transposed convolution: x of `k` channels is grad_out, the output's sizes are free among those whose
// convolution gives back x's ("output padding").
struct Transposed {
  ConvShape shape;  // of the convolution: its image is the transposed one's output
  const char* output_padding;
};

void transposed(Cases& cases, uint32_t dtype) {
  const Transposed list[] = {
      {{{2, 3, 7, 9}, {4, 3, 3}, {2}, {1}}, "0"},
      {{{2, 3, 8, 10}, {4, 3, 3}, {2}, {1}}, "1"},
      {{{1, 2, 9, 8}, {3, 3, 2}, {3, 2}, {1, 0}}, "2,0"},
      {{{1, 4, 10, 12}, {6, 4, 4}, {2}, {1}, {}, 2}, "0"},
      {{{1, 4, 12, 7}, {2, 3, 3}, {3}, {0}, {2, 1}, 2}, "1,1"},
      {{{2, 3, 12}, {5, 4}, {2}, {1}}, "0"},
      {{{2, 5, 13}, {5, 3}, {2}, {0}, {}, 5}, "0"},
      {{{1, 3, 14}, {2, 3}, {4}, {1}}, "3"},
      {{{1, 2, 4, 6, 5}, {3, 2, 2, 2}, {2}}, "0,0,1"},
      {{{1, 2, 5, 4, 6}, {3, 3, 3, 3}, {2}, {1}}, "0,1,1"},
  };
  for (const Transposed& t : list) {
    Case c = conv_gradient_case(dtype, t.shape, Wrt::input);
    c.name.insert(std::string("conv_grad_input/").size(), "transposed ");
    c.name += std::string(" output padding ") + t.output_padding;
    cases.push_back(c);
  }
}

void known_results(Cases& cases) {
  // PyTorch: conv_transpose2d([[1, 2], [3, 4]], [[1, 10], [100, 1000]], stride=2, output_padding=1)
  Case c = conv_gradient_case(ONC_F32, {{1, 1, 5, 5}, {1, 2, 2}, {2}}, Wrt::input);
  c.name.insert(std::string("conv_grad_input/").size(), "transposed known ");
  c.forward = nullptr;
  c.feeds.clear();
  c.gradients.clear();
  c.in[0].fill = list({1, 2, 3, 4});
  c.in[1].fill = list({1, 10, 100, 1000});
  c.known = {{0, {1, 10, 2, 20, 0, 100, 1000, 200, 2000, 0, 3, 30, 4, 40, 0, 300, 3000, 400, 4000, 0, 0, 0, 0, 0, 0}}};
  cases.push_back(c);
}

void extremes(Cases& cases, uint32_t dtype) {
  for (const ConvShape& shape :
       {ConvShape{{1, 1, 4, 5}, {1, 3, 3}, {}, {1}}, ConvShape{{1, 1, 7, 9}, {1, 3, 3}, {2}, {1}},
        ConvShape{{1, 2, 5, 4}, {2, 3, 3}, {}, {1}, {}, 2}, ConvShape{{1, 1, 3, 4, 3}, {1, 2, 3, 2}, {}, {1}}}) {
    Case c = conv_gradient_case(dtype, shape, Wrt::input);
    c.name += " NaN and infinity";
    c.forward = nullptr;
    c.feeds.clear();
    c.gradients.clear();
    c.in[0].fill = list({1, INFINITY, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, NAN, 1, 2, 3, -INFINITY});
    cases.push_back(c);
  }
}

}  // namespace

void cases_conv_grad_input(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const ConvShape& shape : conv_shapes()) cases.push_back(conv_gradient_case(dtype, shape, Wrt::input));
    transposed(cases, dtype);
    extremes(cases, dtype);
    const ConvShape shape{{2, 3, 7, 5}, {4, 3, 3}, {2}, {1}};
    Case mixed = conv_case(dtype, shape, Bias::none, false);
    mixed.op = ONC_OP_CONV_GRAD_INPUT;
    mixed.name.replace(0, 4, "conv_grad_input");
    mixed.name += " expanded grad_out, w reversed, grad_in channels_last";
    mixed.in = {tensor(dtype, shape.y(), Domain::any, Layout::contiguous, 15),
                tensor(dtype, shape.weight(), Domain::any, Layout::reversed)};
    mixed.out = {tensor(dtype, shape.x(), {}, Layout::channels_last)};
    cases.push_back(mixed);
  }
  known_results(cases);
}

}  // namespace oncilla::test
