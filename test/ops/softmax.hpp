// The shapes of softmax and its gradient.
#pragma once

#include "ops/cases.hpp"

namespace oncilla::test {

struct SoftmaxShape {
  Dims dims;
  uint32_t axis;
  Layout layout;
};

inline const SoftmaxShape kSoftmaxShapes[] = {
    {{1}, 0, Layout::contiguous},
    {{5, 7}, 1, Layout::contiguous},
    {{5, 7}, 0, Layout::contiguous},
    {{64, 10}, 1, Layout::contiguous},
    {{3, 1}, 1, Layout::contiguous},
    {{11, 13}, 1, Layout::padded},
    {{11, 13}, 1, Layout::strided},
    {{13, 11}, 0, Layout::reversed},
    {{13, 11}, 1, Layout::reversed},
    {{2, 5, 7}, 1, Layout::contiguous},
    {{2, 3, 5, 7}, 1, Layout::contiguous},
    {{2, 3, 5, 7}, 3, Layout::channels_last},
    {{2, 3, 5, 7}, 1, Layout::channels_last},
    {{0, 5}, 1, Layout::contiguous},
    {{5, 0}, 1, Layout::contiguous},
    {{3, 1000}, 1, Layout::contiguous},
    {{2, 4099}, 1, Layout::contiguous},
    {{300, 3}, 0, Layout::contiguous},
    {{257, 33}, 1, Layout::contiguous},
    {{2, 515, 3}, 1, Layout::padded},
};

inline Case softmax_case(uint32_t dtype, const SoftmaxShape& shape, bool log, const Fill& fill = {}, const char* what = "") {
  Case c;
  c.op = ONC_OP_SOFTMAX;
  c.name = std::string(log ? "softmax/log " : "softmax/") + dtype_name(dtype) + " " + dims_name(shape.dims) + " axis " +
           std::to_string(shape.axis) + " " + layout_name(shape.layout) + what;
  onc_softmax_attrs attrs{};
  attrs.axis = shape.axis;
  attrs.log = log;
  c.set_attrs(attrs);
  c.in = {tensor(dtype, shape.dims, fill, shape.layout)};
  c.out = {tensor(dtype, shape.dims, {}, shape.layout)};
  return c;
}

}  // namespace oncilla::test
