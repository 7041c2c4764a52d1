// Cases of SCAN. Long rows, which run in several chunks, only for some dtypes: the others share their arithmetic.
#include <cmath>

#include "ops/cases.hpp"

namespace oncilla::test {
namespace {

const char* const kKinds[] = {"sum", "prod", "min", "max", "logsumexp"};

struct Shape {
  Dims dims;
  uint32_t axis;
  Layout layout = Layout::contiguous;
};

const Shape kShapes[] = {
    {{1}, 0}, {{13}, 0}, {{5, 7}, 1}, {{3, 11}, 1, Layout::padded}, {{3, 11}, 1, Layout::strided}, {{0, 5}, 1}, {{5, 0}, 1},
};
// Of these the opencl plugin runs other kernels.
const Shape kLarge[] = {
    {{131}, 0},
    {{7, 5}, 0},
    {{11, 37}, 0, Layout::padded},
    {{3, 7, 5}, 1, Layout::reversed},
    {{2, 5, 7, 3}, 1, Layout::channels_last},
    {{3, 1000}, 1},
    {{35, 37}, 1},
    {{1000, 3}, 0},
    {{20011}, 0},
};

struct Way {
  bool reverse = false, exclusive = false, index = true;
};

Case scan_case(uint32_t dtype, uint32_t kind, const Shape& shape, const Way& way = {}, const Fill& fill = {},
               const std::string& what = "") {
  const bool extreme = kind == ONC_SCAN_MIN || kind == ONC_SCAN_MAX;
  Case c;
  c.op = ONC_OP_SCAN;
  c.name = std::string("scan/") + dtype_name(dtype) + " " + kKinds[kind] + (way.reverse ? " reverse" : "") +
           (way.exclusive ? " exclusive" : "") + (way.index ? "" : " without index") + " " + dims_name(shape.dims) + " axis " +
           std::to_string(shape.axis) + " " + layout_name(shape.layout) + what;
  onc_scan_attrs attrs{};
  attrs.axis = shape.axis;
  attrs.kind = kind;
  attrs.reverse = way.reverse;
  attrs.exclusive = way.exclusive;
  c.set_attrs(attrs);
  c.in = {tensor(dtype, shape.dims, fill, shape.layout)};
  c.out = {tensor(dtype, shape.dims, {}, shape.layout),
           extreme && way.index ? tensor(ONC_I64, shape.dims, {}, shape.layout) : absent()};
  return c;
}

// The backward of a running sum is the running sum from the other end.
Case cumsum_backward(const Shape& shape, bool reverse, bool exclusive) {
  Case forward = scan_case(ONC_F64, ONC_SCAN_SUM, shape, {reverse, exclusive});
  Case c = scan_case(ONC_F64, ONC_SCAN_SUM, shape, {!reverse, exclusive}, {}, " backward");
  c.forward = std::make_shared<Case>(forward);
  c.gradients = {{0, 0}};
  return c;
}

void cases_of(Cases& cases, uint32_t dtype, uint32_t kind) {
  const bool floating = is_float(dtype), large = dtype == ONC_F32 || dtype == ONC_F64 || dtype == ONC_I64 || dtype == ONC_F16;
  const Fill near_one = kind == ONC_SCAN_PROD && floating ? Fill(Domain::nonzero) : Fill();
  for (const Shape& shape : kShapes) cases.push_back(scan_case(dtype, kind, shape, {}, near_one));
  for (const Shape& shape : kLarge) {
    if (!large) break;
    // A product of thousands leaves the range of halves; a sum of theirs loses nothing but at the end.
    const bool small = kind == ONC_SCAN_PROD && shape.dims[shape.axis] > 200;
    cases.push_back(scan_case(dtype, kind, shape, {}, small ? list({1, -1, 1, 1.5, -0.75, 0.875, 1}) : near_one));
    cases.push_back(scan_case(dtype, kind, shape, {.reverse = true}, small ? list({1, -1, 1, 1.5, -0.75, 0.875, 1}) : near_one));
  }
  cases.push_back(scan_case(dtype, kind, {{5, 7}, 1}, {.reverse = true}, near_one));
  if (kind <= ONC_SCAN_PROD) {
    cases.push_back(scan_case(dtype, kind, {{5, 7}, 1}, {.exclusive = true}, near_one));
    cases.push_back(scan_case(dtype, kind, {{5, 7}, 1}, {.reverse = true, .exclusive = true}, near_one));
    if (large) cases.push_back(scan_case(dtype, kind, {{18, 33}, 1}, {.reverse = true, .exclusive = true}, list({1, -1, 1})));
    if (large) cases.push_back(scan_case(dtype, kind, {{131}, 0}, {.reverse = true, .exclusive = true}, list({1, -1, 1})));
  } else if (kind != ONC_SCAN_LOGSUMEXP) {
    cases.push_back(scan_case(dtype, kind, {{5, 7}, 1}, {.index = false}));
    cases.push_back(scan_case(dtype, kind, {{5, 29}, 1}, {}, Domain::small_int, " many equals"));
    if (large) cases.push_back(scan_case(dtype, kind, {{1000}, 0}, {}, Domain::small_int, " many equals"));
  }
  if (floating) {
    const Fill odd = list({1, -INFINITY, 0.5, INFINITY, 3, NAN, 2, NAN, 7, 1, 2, -0.0, 0.0});
    cases.push_back(scan_case(dtype, kind, {{13, 13}, 1}, {}, odd, " NaN and infinity"));
    cases.push_back(scan_case(dtype, kind, {{3, 5}, 1}, {}, list({-INFINITY, -INFINITY, 1, INFINITY, 2}), " infinities"));
    if (large) cases.push_back(scan_case(dtype, kind, {{200}, 0}, {}, list({1, 2, -INFINITY, -1, 0.5}), " minus infinity"));
  } else {
    cases.push_back(scan_case(dtype, kind, {{3, 29}, 1}, {}, Domain::wide, " overflow"));
  }
}

}  // namespace

void cases_scan(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16, ONC_I8, ONC_I16, ONC_I32, ONC_I64, ONC_U8, ONC_BOOL}) {
    for (uint32_t kind = 0; kind <= ONC_SCAN_LOGSUMEXP; ++kind) {
      const bool extreme = kind == ONC_SCAN_MIN || kind == ONC_SCAN_MAX;
      if ((dtype == ONC_BOOL && !extreme) || (kind == ONC_SCAN_LOGSUMEXP && !is_float(dtype))) continue;
      cases_of(cases, dtype, kind);
    }
  }
  for (bool reverse : {false, true}) {
    for (bool exclusive : {false, true}) cases.push_back(cumsum_backward({{3, 7}, 1}, reverse, exclusive));
  }
  // A float32 that would stand still at 2^24 if it were added up plainly.
  cases.push_back(scan_case(ONC_F32, ONC_SCAN_SUM, {{5000}, 0}, {}, list({16777216, 1, 1, 1, -16777216}), " cancellation"));
  Case known = scan_case(ONC_F32, ONC_SCAN_MAX, {{6}, 0}, {}, list({1, 3, 2, 3, NAN, 9}), " known");
  known.known = {{0, {1, 3, 3, 3, NAN, NAN}}, {1, {0, 1, 1, 3, 4, 4}}};
  cases.push_back(known);
  Case exclusive = scan_case(ONC_I32, ONC_SCAN_PROD, {{4}, 0}, {.reverse = true, .exclusive = true}, list({2, 3, 4, 5}), " known");
  exclusive.known = {{0, {60, 20, 5, 1}}};
  cases.push_back(exclusive);
}

}  // namespace oncilla::test
