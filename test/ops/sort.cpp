// Cases of SORT; results are exact, since nothing is computed.
#include <cmath>

#include "ops/order.hpp"

namespace oncilla::test {

Case sort_case(uint32_t dtype, const OrderShape& shape, bool descending, const Fill& fill, const std::string& what) {
  Case c;
  c.op = ONC_OP_SORT;
  c.name = std::string("sort/") + dtype_name(dtype) + (descending ? " descending " : " ") + dims_name(shape.dims) + " axis " +
           std::to_string(shape.axis) + " " + layout_name(shape.layout) + what;
  onc_sort_attrs attrs{};
  attrs.axis = shape.axis;
  attrs.descending = descending;
  c.set_attrs(attrs);
  c.in = {tensor(dtype, shape.dims, fill, shape.layout)};
  c.out = {tensor(dtype, shape.dims, {}, shape.layout), tensor(ONC_I64, shape.dims, {}, shape.layout)};
  c.tolerance = Tolerance::exact;
  return c;
}

const std::vector<Fill>& odd_floats() {
  static const std::vector<Fill> fills = {
      list({3, NAN, -INFINITY, 0.0, -0.0, INFINITY, 1e-40, -1e-40, NAN, -3, -0.0, 0.0, 2}),
      Domain::small_int,
  };
  return fills;
}

void cases_sort(Cases& cases) {
  const OrderShape shapes[] = {
      {{1}, 0},
      {{13}, 0},
      {{5, 7}, 1},
      {{7, 5}, 0},
      {{3, 11, 5}, 1, Layout::padded},
      {{11, 13}, 1, Layout::strided},
      {{13, 11}, 0, Layout::reversed},
      {{2, 5, 7, 3}, 1, Layout::channels_last},
      {{0, 5}, 1},
      {{5, 0}, 1},
      {{3, 257}, 1},
      {{1031}, 0},
  };
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16, ONC_I8, ONC_I16, ONC_I32, ONC_I64, ONC_U8, ONC_BOOL}) {
    const Fill spread = is_float(dtype) ? Fill() : Fill(Domain::wide);
    for (const OrderShape& shape : shapes) cases.push_back(sort_case(dtype, shape, false, spread));
    cases.push_back(sort_case(dtype, {{5, 13}, 1}, true, spread));
    cases.push_back(sort_case(dtype, {{1031}, 0}, true, spread));
    cases.push_back(sort_case(dtype, {{2, 300}, 1}, true, Domain::small_int, " many equals"));
    cases.push_back(sort_case(dtype, {{2, 300}, 1}, false, Domain::small_int, " many equals"));
    if (is_float(dtype)) {
      for (bool descending : {false, true}) {
        cases.push_back(sort_case(dtype, {{13, 17}, 1}, descending, odd_floats()[0], " NaN, infinities and zeros"));
        cases.push_back(sort_case(dtype, {{600}, 0}, descending, odd_floats()[0], " NaN, infinities and zeros"));
      }
    }
  }
  for (size_t left_out : {0, 1}) {
    Case one = sort_case(ONC_F32, {{5, 13}, 1}, false, {}, left_out ? " values alone" : " positions alone");
    one.out[left_out] = absent();
    cases.push_back(one);
  }
  cases.push_back(sort_case(ONC_F32, {{20011}, 0}, false, Domain::wide));
  cases.push_back(sort_case(ONC_F32, {{40, 700}, 1}, false, Domain::wide));
  Case broadcast = sort_case(ONC_F32, {{3, 9}, 1}, false, {}, " broadcast rows");
  broadcast.in[0].broadcast = 1;
  cases.push_back(broadcast);
  Case known = sort_case(ONC_F32, {{6}, 0}, true, list({2, NAN, 2, 5, -1, 5}), " known");
  known.known = {{0, {NAN, 5, 5, 2, 2, -1}}, {1, {1, 3, 5, 0, 2, 4}}};
  cases.push_back(known);
}

}  // namespace oncilla::test
