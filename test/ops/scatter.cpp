// Cases of SCATTER. What only the layout of the index decides is named by what uses it: the backward of an embedding and of a
// gather, bincount, index_put.
#include <cmath>

#include "ops/cases.hpp"

namespace oncilla::test {
namespace {

constexpr uint32_t kDtypes[] = {ONC_F32, ONC_F64, ONC_F16, ONC_BF16, ONC_I8, ONC_I16, ONC_I32, ONC_I64, ONC_U8, ONC_BOOL};
const char* const kReduce[] = {"assign", "sum", "prod", "mean", "min", "max"};

struct Shape {
  Dims y, index;
  uint32_t axis;
  Layout layout = Layout::contiguous;
  uint32_t broadcast = 0;  // of the index
  const char* what = "";
};

Case scatter_case(uint32_t dtype, const Shape& shape, uint32_t reduce, bool include_self, const std::string& what = "",
                  const Fill& fill = {}) {
  Case c;
  c.op = ONC_OP_SCATTER;
  c.name = std::string("scatter/") + dtype_name(dtype) + " " + kReduce[reduce] + (include_self ? " with self " : " ") +
           dims_name(shape.index) + " into " + dims_name(shape.y) + " axis " + std::to_string(shape.axis) + " " +
           layout_name(shape.layout) + shape.what + what;
  onc_scatter_attrs attrs{};
  attrs.axis = shape.axis;
  attrs.reduce = reduce;
  attrs.include_self = include_self;
  c.set_attrs(attrs);
  c.in = {tensor(dtype, shape.y, fill, shape.layout),
          tensor(ONC_I64, shape.index, index_below(shape.y[shape.axis]), shape.layout, shape.broadcast),
          tensor(dtype, shape.index, fill, shape.layout)};
  c.out = {tensor(dtype, shape.y, {}, shape.layout)};
  return c;
}

const Shape kShapes[] = {
    {{1}, {1}, 0},
    {{5}, {13}, 0},
    {{7, 5}, {11, 5}, 0},
    {{7, 5}, {7, 11}, 1},
    {{3, 7, 5}, {2, 13, 4}, 1, Layout::contiguous, 0, " within part of y"},
    {{3, 7, 5}, {3, 13, 5}, 1, Layout::padded},
    {{3, 7, 5}, {3, 13, 5}, 1, Layout::strided},
    {{3, 7, 5}, {3, 7, 11}, 2, Layout::reversed},
    {{2, 3, 5, 7}, {2, 3, 11, 7}, 2, Layout::channels_last},
    {{11, 67}, {29, 67}, 0, Layout::contiguous, 2, " embedding backward"},
    {{11, 67}, {29, 67}, 0, Layout::padded, 2, " embedding backward"},
    {{11, 5, 3}, {29, 5, 3}, 0, Layout::reversed, 6, " index_add"},
    {{3, 11, 5}, {3, 17, 5}, 1, Layout::contiguous, 5, " index_add"},
    {{2, 131}, {9, 131}, 0, Layout::contiguous, 2, " few positions"},
    {{1000}, {37}, 0, Layout::contiguous, 0, " index_put"},
    {{5}, {0}, 0},
    {{5, 3}, {0, 3}, 0},
    {{5, 0}, {7, 0}, 0},
};

// Beyond either end; the middle ones count.
const Fill kStray = list({-1, 3, 7, 0, -9223372036854775807.0, 6, 4294967299.0, 8, 2, 3});

void extremes(Cases& cases, uint32_t dtype) {
  const bool floating = is_float(dtype);
  for (uint32_t reduce = 0; reduce <= ONC_SCATTER_MAX; ++reduce) {
    if (dtype == ONC_BOOL && reduce == ONC_SCATTER_MEAN) continue;
    const Shape row{{7}, {29}, 0};
    Case stray = scatter_case(dtype, row, reduce, false, " stray index");
    stray.in[1].fill = kStray;
    cases.push_back(stray);
    Case in_place = scatter_case(dtype, {{7, 5}, {11, 4}, 0}, reduce, true, " in place");
    in_place.aliases = {{0, 0}};
    cases.push_back(in_place);
    Case zeros = scatter_case(dtype, {{7, 5}, {6, 5}, 0}, reduce, true, " into zeros");
    zeros.in[0] = absent();
    cases.push_back(zeros);
    if (floating) {
      // Two subnormal numbers multiplied are 0 in float32, and not in the oracle's double: infinity times that differs.
      const double tiny = reduce == ONC_SCATTER_PROD ? 0.5 : 1e-40;
      const Fill odd = list({1, NAN, -INFINITY, INFINITY, 0.0, -0.0, tiny, 3, -2, 5, 7});
      cases.push_back(scatter_case(dtype, row, reduce, true, " NaN and infinity", odd));
      cases.push_back(scatter_case(dtype, row, reduce, false, " NaN and infinity", odd));
    } else {
      cases.push_back(scatter_case(dtype, row, reduce, true, " overflow", Domain::wide));
      cases.push_back(scatter_case(dtype, row, reduce, false, " overflow", Domain::wide));
    }
  }
}

// With respect to self, what src took the place of gets no gradient: a scatter of zeros into grad_out. With respect to src the
// backward is a gather, which is a tape.
Case self_backward(const Shape& shape, uint32_t reduce) {
  Case c = scatter_case(ONC_F64, shape, ONC_SCATTER_ASSIGN, true, std::string(" backward of ") + kReduce[reduce]);
  c.forward = std::make_shared<Case>(scatter_case(ONC_F64, shape, reduce, false));
  c.in[2].fill = list({0});
  c.feeds = {{1, false, 1}};
  c.gradients = {{0, 0}};
  return c;
}

Case known(uint32_t reduce, bool include_self, std::vector<double> values) {
  Case c = scatter_case(ONC_F32, {{4}, {6}, 0}, reduce, include_self, " known");
  c.in[0].fill = list({10, 20, 30, 40});
  c.in[1].fill = list({2, 0, 2, 0, 2, 1});
  c.in[2].fill = list({1, 2, 3, 4, 5, 6});
  c.known = {{0, std::move(values)}};
  return c;
}

}  // namespace

void cases_scatter(Cases& cases) {
  for (uint32_t dtype : kDtypes) {
    for (const Shape& shape : kShapes) cases.push_back(scatter_case(dtype, shape, ONC_SCATTER_SUM, true));
    extremes(cases, dtype);
  }
  for (uint32_t dtype : {ONC_F32, ONC_F16, ONC_I32}) {
    for (const Shape& shape : kShapes) {
      for (uint32_t reduce : {ONC_SCATTER_ASSIGN, ONC_SCATTER_MEAN, ONC_SCATTER_MAX})
        cases.push_back(scatter_case(dtype, shape, reduce, false));
    }
  }
  for (uint32_t reduce : {ONC_SCATTER_ASSIGN, ONC_SCATTER_SUM, ONC_SCATTER_MAX}) {
    cases.push_back(self_backward({{7, 5}, {4, 5}, 0}, reduce));
    cases.push_back(self_backward({{7, 5}, {6, 3}, 1, Layout::contiguous, 2}, reduce));
  }
  cases.push_back(known(ONC_SCATTER_ASSIGN, true, {4, 6, 5, 40}));
  cases.push_back(known(ONC_SCATTER_SUM, true, {16, 26, 39, 40}));
  cases.push_back(known(ONC_SCATTER_SUM, false, {6, 6, 9, 40}));
  cases.push_back(known(ONC_SCATTER_PROD, false, {8, 6, 15, 40}));
  cases.push_back(known(ONC_SCATTER_MEAN, true, {16.0 / 3, 13, 9.75, 40}));
  cases.push_back(known(ONC_SCATTER_MEAN, false, {3, 6, 3, 40}));
  cases.push_back(known(ONC_SCATTER_MIN, true, {2, 6, 1, 40}));
  cases.push_back(known(ONC_SCATTER_MAX, false, {4, 6, 5, 40}));
  Case floors = scatter_case(ONC_I32, {{2}, {4}, 0}, ONC_SCATTER_MEAN, false, " known floor");
  floors.in[1].fill = list({0, 1});
  floors.in[2].fill = list({-3, 3, -4, 4});
  floors.known = {{0, {-4, 3}}};
  cases.push_back(floors);
  Case counts = scatter_case(ONC_I64, {{10}, {5000}, 0}, ONC_SCATTER_SUM, true, " bincount");
  counts.in[0] = absent();
  counts.in[2].fill = list({1});
  counts.in[2].broadcast = 1;
  cases.push_back(counts);
}

}  // namespace oncilla::test
