// Cases of CONV, and the geometries that its gradients share.
#include "ops/convolution.hpp"

#include <cmath>

namespace oncilla::test {

std::string ConvShape::name() const {
  const auto pair = [](const char* what, const int64_t* v, int64_t usual) {
    return v[0] == usual && v[1] == usual ? std::string()
                                          : std::string(" ") + what + std::to_string(v[0]) + "," + std::to_string(v[1]);
  };
  return dims_name(x()) + " * " + dims_name(weight()) + pair("stride ", stride, 1) + pair("pad ", pad, 0) +
         pair("dilation ", dilation, 1) + (groups > 1 ? " groups " + std::to_string(groups) : "") +
         (layout == Layout::contiguous ? "" : std::string(" ") + layout_name(layout));
}

const std::vector<ConvShape>& conv_shapes() {
  static const std::vector<ConvShape> shapes = {
      // n, c, h, w, k, r, s, stride, pad, dilation
      {1, 1, 1, 1, 1, 1, 1, {1, 1}, {0, 0}, {1, 1}},
      {1, 1, 5, 5, 1, 3, 3, {1, 1}, {0, 0}, {1, 1}},
      {2, 3, 7, 5, 5, 3, 3, {1, 1}, {1, 1}, {1, 1}},
      {2, 3, 8, 8, 4, 3, 3, {2, 2}, {1, 1}, {1, 1}},
      {1, 2, 11, 13, 3, 3, 5, {2, 3}, {1, 2}, {1, 1}},
      {1, 2, 11, 9, 3, 3, 3, {1, 1}, {2, 2}, {2, 2}},
      {1, 2, 13, 11, 3, 3, 2, {3, 1}, {2, 0}, {2, 3}},
      {3, 4, 5, 7, 6, 1, 1, {1, 1}, {0, 0}, {1, 1}},
      {2, 4, 6, 5, 3, 1, 1, {2, 2}, {0, 0}, {1, 1}},
      {2, 4, 7, 7, 6, 3, 3, {1, 1}, {1, 1}, {1, 1}, 2},
      {2, 5, 7, 7, 5, 3, 3, {1, 1}, {1, 1}, {1, 1}, 5},
      {1, 6, 9, 9, 12, 3, 3, {2, 2}, {1, 1}, {1, 1}, 6},
      {1, 3, 5, 5, 2, 5, 5, {1, 1}, {0, 0}, {1, 1}},
      {1, 3, 4, 4, 2, 5, 5, {1, 1}, {2, 2}, {1, 1}},
      {2, 1, 1, 17, 3, 1, 5, {1, 1}, {0, 2}, {1, 1}},
      {2, 1, 17, 1, 3, 5, 1, {1, 1}, {2, 0}, {1, 1}},
      {1, 2, 4, 4, 3, 2, 2, {2, 2}, {0, 0}, {1, 1}},
      {1, 2, 5, 5, 3, 2, 2, {3, 3}, {1, 1}, {1, 1}},  // some inputs under no window
      {0, 2, 5, 5, 3, 3, 3, {1, 1}, {1, 1}, {1, 1}},
      {2, 3, 7, 5, 5, 3, 3, {1, 1}, {1, 1}, {1, 1}, 1, Layout::channels_last},
      {2, 4, 7, 7, 6, 3, 3, {2, 1}, {1, 1}, {1, 1}, 2, Layout::strided},
      {1, 3, 8, 7, 4, 3, 3, {1, 1}, {0, 1}, {1, 1}, 1, Layout::padded},
      {2, 3, 5, 6, 4, 3, 3, {1, 1}, {1, 1}, {1, 1}, 1, Layout::reversed},
      {2, 3, 9, 12, 4, 3, 3, {2, 2}, {2, 2}, {2, 3}, 1},  // stride and dilation share a factor, and do not
      {1, 4, 13, 10, 6, 3, 2, {3, 2}, {1, 0}, {2, 1}, 2},
      {2, 2, 5, 4, 3, 1, 1, {1, 1}, {1, 2}, {1, 1}},  // windows that see padding alone
      {1, 2, 6, 6, 3, 1, 1, {3, 2}, {0, 0}, {1, 1}},  // stride beyond the window
      {1, 2, 1, 1, 3, 3, 3, {2, 2}, {1, 1}, {1, 1}},
      // beyond a tile in each direction
      {4, 1, 28, 28, 32, 3, 3, {1, 1}, {0, 0}, {1, 1}},
      {2, 32, 12, 12, 64, 3, 3, {1, 1}, {0, 0}, {1, 1}},
      {1, 17, 19, 37, 33, 3, 3, {1, 1}, {1, 1}, {1, 1}},
      {1, 64, 9, 9, 70, 1, 1, {1, 1}, {0, 0}, {1, 1}},
      {2, 33, 15, 15, 65, 3, 3, {2, 2}, {1, 1}, {1, 1}},
      {1, 8, 8, 70, 16, 7, 7, {2, 2}, {3, 3}, {1, 1}},
      {1, 40, 16, 16, 40, 3, 3, {1, 1}, {1, 1}, {1, 1}, 40},
      {1, 1, 8, 8, 32, 3, 3, {1, 1}, {1, 1}, {1, 1}},
      {20, 33, 21, 20, 5, 3, 3, {1, 1}, {1, 1}, {1, 1}},  // several chunks of images
      {3, 24, 10, 11, 23, 3, 3, {2, 1}, {1, 2}, {1, 2}, 1, Layout::channels_last},
  };
  return shapes;
}

Case conv_case(uint32_t dtype, const ConvShape& shape, bool bias, bool integers) {
  const Fill fill = integers ? Domain::small_int : Domain::any;
  Case c;
  c.op = ONC_OP_CONV;
  c.name = std::string("conv/") + dtype_name(dtype) + " " + shape.name() + (bias ? " bias" : "") + (integers ? " integers" : "");
  onc_conv_attrs attrs{};
  attrs.spatial_rank = 2;
  attrs.groups = shape.groups;
  for (int d = 0; d < 2; ++d) {
    attrs.stride[d] = shape.stride[d];
    attrs.pad[d] = shape.pad[d];
    attrs.dilation[d] = shape.dilation[d];
  }
  c.set_attrs(attrs);
  c.in = {tensor(dtype, shape.x(), fill, shape.layout), tensor(dtype, shape.weight(), fill, shape.layout),
          bias ? tensor(dtype, {shape.k}, fill) : absent()};
  c.out = {tensor(dtype, shape.y(), {}, shape.layout)};
  return c;
}

void cases_conv(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const ConvShape& shape : conv_shapes()) {
      for (bool bias : {false, true}) cases.push_back(conv_case(dtype, shape, bias, long_sums(shape)));
    }
    // Layouts that differ between the tensors, and one image for the whole batch.
    const ConvShape shape{2, 3, 7, 5, 4, 3, 3, {1, 1}, {1, 1}, {1, 1}};
    Case mixed = conv_case(dtype, shape, true, false);
    mixed.name += " x channels_last, w reversed, y padded";
    mixed.in[0].layout = Layout::channels_last;
    mixed.in[1].layout = Layout::reversed;
    mixed.out[0].layout = Layout::padded;
    cases.push_back(mixed);
    Case expanded = conv_case(dtype, shape, true, false);
    expanded.name += " expanded batch";
    expanded.in[0].broadcast = 1;
    cases.push_back(expanded);
  }
  Case known = conv_case(ONC_F32, {1, 1, 3, 3, 1, 2, 2, {1, 1}, {0, 0}, {1, 1}}, true, false);
  known.name += " known";
  known.in[0].fill = list({1, 2, 3, 4, 5, 6, 7, 8, 9});
  known.in[1].fill = list({1, 10, 100, 1000});
  known.in[2].fill = list({0.5});
  known.known = {{0, {5421.5, 6532.5, 8754.5, 9865.5}}};
  cases.push_back(known);
  Case nan = conv_case(ONC_F32, {1, 1, 4, 4, 1, 3, 3, {1, 1}, {1, 1}, {1, 1}}, false, false);
  nan.name += " NaN and infinity";
  nan.in[0].fill = list({1, 2, 3, INFINITY, 5, 6, 7, 8, 9, 1, 2, 3, NAN, 4, 5, 6});
  cases.push_back(nan);
}

}  // namespace oncilla::test
