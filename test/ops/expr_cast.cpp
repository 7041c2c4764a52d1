// Casts between all storage dtypes, to the bit, and copies between layouts.
#include <cmath>
#include <limits>

#include "ops/expr.hpp"

namespace oncilla::test {
namespace {

constexpr uint32_t kAll[] = {ONC_F32, ONC_F64, ONC_F16, ONC_BF16, ONC_I8, ONC_I16, ONC_I32, ONC_I64, ONC_U8, ONC_BOOL};

// One input stored as each of the dtypes.
Case cast_case(const std::string& name, uint32_t from, const std::vector<uint32_t>& to, Dims dims, const Fill& fill, Layout in,
               Layout out) {
  Tape tape;
  const Value x = tape.input(from);
  for (size_t i = 0; i < to.size(); ++i) tape.output(x);
  Case c = expr_case("cast " + std::string(dtype_name(from)) + " " + name, tape, dims);
  c.in = {tensor(from, dims, fill, in)};
  for (uint32_t dtype : to) {
    c.out.push_back(tensor(dtype, dims, {}, out));
    c.labels.push_back(std::string("to ") + dtype_name(dtype));
  }
  c.tolerance = Tolerance::exact;
  return c;
}

std::vector<uint32_t> without_fp64(bool fp64) {
  std::vector<uint32_t> list;
  for (uint32_t dtype : kAll) {
    if ((dtype == ONC_F64) == fp64) list.push_back(dtype);
  }
  return list;
}

}  // namespace

void cast_cases(Cases& cases) {
  constexpr Layout C = Layout::contiguous;
  for (uint32_t from : kAll) {
    for (bool fp64 : {false, true}) {  // apart, so that a device without fp64 shows the rest
      const std::string target = fp64 ? " to float64" : "";
      const std::vector<uint32_t> to = without_fp64(fp64);
      cases.push_back(cast_case("odd" + target, from, to, {7, 13}, Domain::percent, C, C));
      cases.push_back(cast_case("long" + target, from, to, {5003}, Domain::percent, C, C));
      cases.push_back(cast_case("strided" + target, from, to, {5, 3, 7}, Domain::percent, Layout::strided, Layout::reversed));
      cases.push_back(cast_case("empty" + target, from, to, {0}, Domain::percent, C, C));
    }
    if (from == ONC_BOOL || from == ONC_U8) continue;
    cases.push_back(cast_case("negative", from, {ONC_I8, ONC_I16, ONC_I32, ONC_I64, ONC_BOOL, ONC_F16, ONC_BF16, ONC_F32}, {9, 7},
                              list({-100, -1.75, -0.5, 0, 0.25, 1.5, 99.75, -3}), C, C));
  }
  // Integers wrap; 64-bit ones round once on the way to float32.
  cases.push_back(
      cast_case("wide", ONC_I64, {ONC_I8, ONC_I16, ONC_I32, ONC_U8, ONC_BOOL, ONC_F32, ONC_I64}, {257}, Domain::wide, C, C));
  cases.push_back(cast_case("wide", ONC_I32, {ONC_I8, ONC_I16, ONC_U8, ONC_BOOL, ONC_F32, ONC_I64}, {257}, Domain::wide, C, C));
  // Halves of the last place, subnormals, overflow, NaN and infinities of the small floats.
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  cases.push_back(
      cast_case("edges", ONC_F32, {ONC_F16, ONC_BF16, ONC_F32, ONC_BOOL}, {24},
                list({2049,    2051,    0x1.002p0, 0x1.006p0, 0x1.01p0,    0x1.03p0, 65504, 65519, 65520, -65520, 1e30, 3.4e38,
                      0x1p-14, 0x1p-15, 0x1.8p-24, 0x1p-25,   0x1.004p-14, -0x1p-24, 0.0,   -0.0,  nan,   inf,    -inf, 1}),
                C, C));
  for (uint32_t small : {ONC_F16, ONC_BF16}) {
    cases.push_back(cast_case("edges", small, {ONC_F32, small, ONC_BOOL}, {10},
                              list({0x1p-24, 0x1p-14, -0x1p-20, 65504, nan, inf, -inf, 0.0, -0.0, 1.5}), C, C));
  }
  // Copies: every item size, every pair of layouts.
  const Layout layouts[] = {C, Layout::padded, Layout::strided, Layout::reversed, Layout::swapped, Layout::channels_last};
  for (uint32_t dtype : {ONC_U8, ONC_F16, ONC_F32, ONC_I64}) {
    for (Layout in : layouts) {
      for (Layout out : layouts) {
        cases.push_back(cast_case(std::string("copy ") + layout_name(in) + " to " + layout_name(out), dtype, {dtype}, {3, 5, 2, 7},
                                  {}, in, out));
      }
    }
  }
}

}  // namespace oncilla::test
