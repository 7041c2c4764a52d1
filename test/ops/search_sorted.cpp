// Cases of SEARCH_SORTED.
#include <cmath>

#include "ops/cases.hpp"

namespace oncilla::test {
namespace {

struct Shape {
  Dims sorted, values;
  Layout layout = Layout::contiguous;
  uint32_t broadcast = 0;  // of sorted
};

// Rows of 12 in order, and values on, between and beyond them.
const Fill kRow = list({-4, -3, -3, -1, 0, 0, 0, 1, 2, 2, 5, 9});
const Fill kUnsignedRow = list({0, 0, 1, 1, 1, 2, 5, 5, 9, 12, 12, 20});

Case search_case(uint32_t dtype, const Shape& shape, bool right, const std::string& what = "") {
  const bool is_unsigned = dtype == ONC_U8 || dtype == ONC_BOOL;
  Case c;
  c.op = ONC_OP_SEARCH_SORTED;
  c.name = std::string("search_sorted/") + dtype_name(dtype) + (right ? " right " : " ") + dims_name(shape.values) + " in " +
           dims_name(shape.sorted) + " " + layout_name(shape.layout) + (shape.broadcast ? " broadcast" : "") + what;
  onc_search_sorted_attrs attrs{};
  attrs.right = right;
  c.set_attrs(attrs);
  const Fill row = dtype == ONC_BOOL ? list({0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1}) : is_unsigned ? kUnsignedRow : kRow;
  c.in = {tensor(dtype, shape.sorted, row, shape.layout, shape.broadcast),
          tensor(dtype, shape.values, Domain::small_int, shape.layout), absent()};
  c.out = {tensor(ONC_I64, shape.values, {}, shape.layout)};
  return c;
}

}  // namespace

void cases_search_sorted(Cases& cases) {
  const Shape shapes[] = {
      {{12}, {1}},
      {{12}, {29}},
      {{1}, {7}},
      {{12}, {0}},
      {{0}, {5}},
      {{5, 12}, {5, 7}},
      {{5, 12}, {5, 7}, Layout::padded},
      {{5, 12}, {5, 7}, Layout::strided},
      {{2, 3, 12}, {2, 3, 11}, Layout::reversed},
      {{5, 12}, {5, 13}, Layout::contiguous, 1},
      {{0, 12}, {0, 3}},
  };
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16, ONC_I8, ONC_I16, ONC_I32, ONC_I64, ONC_U8, ONC_BOOL}) {
    for (bool right : {false, true}) {
      for (const Shape& shape : shapes) cases.push_back(search_case(dtype, shape, right));
      if (is_float(dtype)) {
        Case odd = search_case(dtype, {{12}, {13}}, right, " NaN and infinity");
        odd.in[0].fill = list({-INFINITY, -3, -0.0, 0.0, 0.0, 1, 2, 2, INFINITY, NAN, NAN, NAN});
        odd.in[1].fill = list({NAN, INFINITY, -INFINITY, 0.0, -0.0, 1, 2, 1.5, -3, -4, 100, 1e-40, -1e-40});
        cases.push_back(odd);
      } else if (dtype == ONC_I64 || dtype == ONC_I32) {
        Case far = search_case(dtype, {{12}, {40}}, right, " extremes");
        far.in[1].fill = Domain::wide;
        cases.push_back(far);
      }
    }
  }
  for (bool right : {false, true}) {
    Case sorter = search_case(ONC_F32, {{3, 4}, {3, 7}}, right, " sorter");
    sorter.in[0].fill = list({3, -1, 2, 2});
    sorter.in[2] = tensor(ONC_I64, {3, 4}, list({1, 2, 3, 0}));
    cases.push_back(sorter);
  }
  Case known = search_case(ONC_F32, {{12}, {4}}, false, " known");
  known.in[1].fill = list({-3, 0, 10, -9});
  known.known = {{0, {1, 4, 12, 0}}};
  cases.push_back(known);
}

}  // namespace oncilla::test
