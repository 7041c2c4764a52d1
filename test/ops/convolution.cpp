// Geometries of convolutions, and how each becomes a case of the forward and of the gradients.
#include "ops/convolution.hpp"

#include <functional>
#include <numeric>

namespace oncilla::test {
namespace {

int64_t entry(const Dims& list, size_t d, int64_t usual) { return list.empty() ? usual : list[list.size() == 1 ? 0 : d]; }

int64_t product(const Dims& dims, size_t from) {
  return std::accumulate(dims.begin() + static_cast<std::ptrdiff_t>(from), dims.end(), int64_t{1}, std::multiplies<>());
}

std::string list_name(const char* what, const Dims& list) {
  std::string name;
  for (int64_t v : list) name += (name.empty() ? "" : ",") + std::to_string(v);
  return name.empty() ? "" : std::string(" ") + what + name;
}

}  // namespace

Dims ConvShape::weight() const {
  Dims dims = filters;
  dims.insert(dims.begin() + 1, image[1] / groups);
  return dims;
}

Dims ConvShape::y() const {
  Dims dims{image[0], filters[0]};
  for (size_t d = 0; d < spatial(); ++d) {
    const int64_t room = image[2 + d] + 2 * entry(pad, d, 0) - entry(dilation, d, 1) * (filters[1 + d] - 1) - 1;
    dims.push_back(room / entry(stride, d, 1) + 1);
  }
  return dims;
}

std::string ConvShape::name() const {
  return dims_name(x()) + " * " + dims_name(weight()) + list_name("stride ", stride) + list_name("pad ", pad) +
         list_name("dilation ", dilation) + (groups > 1 ? " groups " + std::to_string(groups) : "") +
         (layout == Layout::contiguous ? "" : std::string(" ") + layout_name(layout));
}

const std::vector<ConvShape>& conv_shapes() {
  static const std::vector<ConvShape> shapes = {
      // image, filters, stride, pad, dilation, groups, layout
      {{1, 1, 1, 1}, {1, 1, 1}},
      {{1, 1, 5, 5}, {1, 3, 3}},
      {{2, 3, 7, 5}, {5, 3, 3}, {}, {1}},
      {{2, 3, 8, 8}, {4, 3, 3}, {2}, {1}},
      {{1, 2, 11, 13}, {3, 3, 5}, {2, 3}, {1, 2}},
      {{1, 2, 11, 9}, {3, 3, 3}, {}, {2}, {2}},
      {{1, 2, 13, 11}, {3, 3, 2}, {3, 1}, {2, 0}, {2, 3}},
      {{3, 4, 5, 7}, {6, 1, 1}},
      {{2, 4, 6, 5}, {3, 1, 1}, {2}},
      {{2, 4, 7, 7}, {6, 3, 3}, {}, {1}, {}, 2},
      {{2, 5, 7, 7}, {5, 3, 3}, {}, {1}, {}, 5},
      {{1, 6, 9, 9}, {12, 3, 3}, {2}, {1}, {}, 6},
      {{1, 3, 5, 5}, {2, 5, 5}},
      {{1, 3, 4, 4}, {2, 5, 5}, {}, {2}},
      {{2, 1, 1, 17}, {3, 1, 5}, {}, {0, 2}},
      {{2, 1, 17, 1}, {3, 5, 1}, {}, {2, 0}},
      {{1, 2, 4, 4}, {3, 2, 2}, {2}},
      {{1, 2, 5, 5}, {3, 2, 2}, {3}, {1}},  // some inputs under no window
      {{0, 2, 5, 5}, {3, 3, 3}, {}, {1}},
      {{2, 3, 7, 5}, {5, 3, 3}, {}, {1}, {}, 1, Layout::channels_last},
      {{2, 4, 7, 7}, {6, 3, 3}, {2, 1}, {1}, {}, 2, Layout::strided},
      {{1, 3, 8, 7}, {4, 3, 3}, {}, {0, 1}, {}, 1, Layout::padded},
      {{2, 3, 5, 6}, {4, 3, 3}, {}, {1}, {}, 1, Layout::reversed},
      {{2, 3, 9, 12}, {4, 3, 3}, {2}, {2}, {2, 3}, 1},  // stride and dilation share a factor, and do not
      {{1, 4, 13, 10}, {6, 3, 2}, {3, 2}, {1, 0}, {2, 1}, 2},
      {{2, 2, 5, 4}, {3, 1, 1}, {}, {1, 2}},  // windows that see padding alone
      {{1, 2, 6, 6}, {3, 1, 1}, {3, 2}},      // stride beyond the window
      {{1, 2, 1, 1}, {3, 3, 3}, {2}, {1}},
      // one place: images whose places fill no vector, cross one, and exceed a block of a sum; channels that do
      {{5, 3, 2, 3}, {30, 1, 1}},
      {{3, 70, 7, 7}, {34, 1, 1}},
      {{3, 5, 20, 20}, {9, 1, 1}},
      {{2, 300, 3, 11}, {14, 1, 1}},
      {{19, 40, 1, 1}, {33, 1, 1}},
      {{2, 6, 5, 7}, {9, 1, 1}, {}, {}, {}, 3},
      {{2, 20, 5, 7}, {34, 1, 1}, {}, {}, {}, 1, Layout::channels_last},
      {{2, 20, 5, 7}, {34, 1, 1}, {}, {}, {}, 1, Layout::reversed},
      // beyond a tile in each direction
      {{4, 1, 28, 28}, {32, 3, 3}},
      {{2, 32, 12, 12}, {64, 3, 3}},
      {{1, 17, 19, 37}, {33, 3, 3}, {}, {1}},
      {{1, 64, 9, 9}, {70, 1, 1}},
      {{2, 33, 15, 15}, {65, 3, 3}, {2}, {1}},
      {{1, 8, 8, 70}, {16, 7, 7}, {2}, {3}},
      {{1, 40, 16, 16}, {40, 3, 3}, {}, {1}, {}, 40},
      {{1, 1, 8, 8}, {32, 3, 3}, {}, {1}},
      {{20, 33, 21, 20}, {5, 3, 3}, {}, {1}},  // several chunks of images
      {{3, 2048, 5, 5}, {8, 3, 3}, {}, {1}},   // weights beyond a cache, for blocks of two images and one
      {{3, 24, 10, 11}, {23, 3, 3}, {2, 1}, {1, 2}, {1, 2}, 1, Layout::channels_last},
      {{1, 2, 4, 5}, {3, 2, 2}, {2}, {5, 4}},  // padding beyond the window
      {{1, 3, 9, 11}, {2, 9, 11}, {}, {2, 1}},
      {{2, 3, 9, 10}, {2, 2, 3}, {1, 2}, {}, {4, 3}},
      {{2, 6, 7, 9}, {9, 3, 3}, {1}, {1}, {1}, 3},
      // windows side by side: several images and tiles, places under no window, groups, one place of the window along a dim
      {{3, 18, 8, 12}, {34, 2, 2}, {2}},
      {{2, 5, 9, 11}, {9, 2, 2}, {2}},
      {{2, 6, 9, 6}, {4, 3, 3}, {3}, {}, {}, 2},
      {{2, 5, 9, 8}, {7, 1, 2}, {3, 2}},
      {{2, 4, 6, 8}, {5, 2, 4}, {2, 4}, {}, {1, 1}, 1, Layout::reversed},
      {{2, 19, 9, 10}, {7, 1, 1}, {2, 3}, {}, {}, 1, Layout::strided},
      // depthwise, with several outputs a channel, and several rows of a block
      {{2, 7, 14, 14}, {7, 3, 3}, {}, {1}, {}, 7},
      {{1, 5, 15, 33}, {5, 5, 5}, {2}, {2}, {}, 5},
      {{2, 3, 9, 8}, {6, 3, 3}, {1, 2}, {1, 0}, {2, 1}, 3},
      {{1, 4, 6, 5}, {4, 3, 2}, {3}, {4}, {2}, 4, Layout::channels_last},
      {{1, 2, 70, 40}, {2, 7, 7}, {}, {3}, {}, 2},
      {{3, 4, 5, 6}, {4, 1, 1}, {}, {}, {}, 4},
      {{1, 3, 5, 7}, {3, 5, 7}, {}, {}, {}, 3},
      {{1, 6, 5, 7}, {3, 3, 3}, {}, {1}, {}, 3},
      {{2, 2, 5, 150}, {2, 3, 3}, {}, {}, {1, 70}, 2},
      {{4, 17, 5, 6}, {17, 3, 3}, {}, {1}, {}, 17},  // several channels of a work-item, and fewer of the last
      {{2, 3, 6, 9}, {3, 3, 2}, {2}, {3}, {}, 3},    // padding beyond the window
      {{2, 6, 9, 7}, {6, 3, 3}, {1, 2}, {1}, {}, 6, Layout::channels_last},  // rows that are not neighbours
      {{1, 3, 47, 45}, {3, 3, 5}, {2}, {1, 2}, {1, 3}, 3},                   // several vectors of each phase
      // one spatial dim
      {{1, 1, 1}, {1, 1}},
      {{2, 3, 17}, {5, 3}, {}, {1}},
      {{3, 17, 45}, {33, 1}},
      {{2, 4, 13}, {6, 3}, {2}, {3}, {2}, 2},
      {{1, 2, 5}, {3, 2}, {3}, {4}},
      {{3, 2, 11}, {2, 11}},
      {{2, 6, 13}, {9, 3}, {3}},
      {{1, 3, 701}, {33, 9}, {}, {4}},
      {{2, 5, 40}, {5, 7}, {}, {3}, {}, 5},
      {{2, 6, 23}, {12, 4}, {3}, {2}, {}, 6, Layout::reversed},
      {{0, 3, 7}, {2, 3}},
      {{2, 3, 12}, {4, 3}, {2}, {1}, {}, 1, Layout::channels_last},
      // three
      {{1, 1, 1, 1, 1}, {1, 1, 1, 1}},
      {{2, 3, 5, 4, 7}, {4, 3, 3, 3}, {}, {1}},
      {{1, 2, 7, 6, 9}, {3, 2, 3, 3}, {2, 1, 3}, {1, 0, 2}, {1, 2, 1}},
      {{1, 4, 6, 5, 5}, {6, 3, 2, 1}, {1, 2, 1}, {1, 0, 0}, {2, 1, 1}, 2},
      {{1, 2, 3, 3, 3}, {2, 3, 3, 3}},
      {{2, 3, 4, 3, 5}, {5, 1, 1, 1}, {2}},
      {{2, 18, 2, 3, 4}, {5, 1, 1, 1}},
      {{1, 2, 4, 6, 6}, {3, 1, 3, 3}, {}, {0, 1, 1}},
      {{1, 2, 6, 4, 3}, {3, 3, 1, 1}, {2, 1, 1}, {1, 0, 0}},
      {{1, 2, 4, 4, 4}, {3, 2, 2, 2}, {2}},
      {{1, 2, 5, 5, 5}, {2, 1, 2, 1}, {3, 3, 2}, {0, 1, 0}},
      {{2, 3, 4, 5, 6}, {3, 3, 3, 3}, {}, {1}, {}, 3},
      {{1, 2, 5, 6, 7}, {4, 3, 3, 2}, {2}, {2, 1, 1}, {1, 2, 1}, 2},
      {{2, 3, 4, 5, 6}, {4, 3, 3, 3}, {1, 2, 2}, {1}, {}, 1, Layout::channels_last},
      {{1, 2, 3, 4, 5}, {3, 2, 2, 2}, {}, {}, {}, 1, Layout::strided},
      {{1, 2, 3, 4, 5}, {3, 3, 1, 2}, {}, {3, 1, 2}, {}, 1, Layout::reversed},
      {{1, 2, 2, 3, 0}, {1, 1, 1, 1}, {}, {0, 0, 1}},
      {{1, 17, 6, 9, 11}, {20, 3, 3, 3}, {}, {1}},
      {{3, 5, 7, 8, 16}, {9, 3, 3, 3}, {2}, {1}},
  };
  return shapes;
}

bool long_sums(const ConvShape& shape) {
  const Dims w = shape.weight(), y = shape.y();
  const int64_t window = product(w, 2);
  return w[1] * window > 40 || shape.filters[0] / shape.groups * window > 40 || y[0] * product(y, 2) > 40;
}

Case conv_case(uint32_t dtype, const ConvShape& shape, Bias bias, bool integers) {
  const Fill fill = integers ? Domain::small_int : Domain::any;
  Case c;
  c.op = ONC_OP_CONV;
  c.name = std::string("conv/") + dtype_name(dtype) + " " + shape.name() +
           (bias == Bias::none   ? ""
            : bias == Bias::same ? " bias"
                                 : " float32 bias") +
           (integers ? " integers" : "");
  onc_conv_attrs attrs{};
  attrs.spatial_rank = static_cast<uint32_t>(shape.spatial());
  attrs.groups = shape.groups;
  for (size_t d = 0; d < shape.spatial(); ++d) {
    attrs.stride[d] = entry(shape.stride, d, 1);
    attrs.pad[d] = entry(shape.pad, d, 0);
    attrs.dilation[d] = entry(shape.dilation, d, 1);
  }
  c.set_attrs(attrs);
  c.in = {tensor(dtype, shape.x(), fill, shape.layout), tensor(dtype, shape.weight(), fill, shape.layout),
          bias == Bias::none ? absent() : tensor(bias == Bias::same ? dtype : uint32_t{ONC_F32}, {shape.filters[0]}, fill)};
  c.out = {tensor(dtype, shape.y(), {}, shape.layout)};
  return c;
}

Case conv_gradient_case(uint32_t dtype, const ConvShape& shape, Wrt wrt) {
  const bool integers = long_sums(shape), input = wrt == Wrt::input;
  Case c = conv_case(dtype, shape, Bias::none, integers);
  c.forward = std::make_shared<Case>(c);
  c.op = input ? uint32_t{ONC_OP_CONV_GRAD_INPUT} : uint32_t{ONC_OP_CONV_GRAD_WEIGHT};
  c.name.replace(0, 4, input ? "conv_grad_input" : "conv_grad_weight");
  const Tensor grad_out = tensor(dtype, shape.y(), integers ? Domain::small_int : Domain::any, shape.layout);
  c.in = {grad_out, c.in[input ? 1 : 0]};
  c.out = {tensor(dtype, input ? shape.x() : shape.weight(), {}, shape.layout)};
  c.feeds = {{1, false, input ? size_t{1} : size_t{0}}};
  c.gradients = {{input ? size_t{0} : size_t{1}, 0}};
  return c;
}

}  // namespace oncilla::test
