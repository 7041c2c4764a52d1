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

// Every dtype stored as `to`: apart from the others, because a device may lack float64, and because uint8 takes no negative float.
Case gather_case(const std::string& name, uint32_t to, Dims dims, Layout in, Layout out) {
  Tape tape;
  Case c;
  for (uint32_t from : kAll) {
    if (from == ONC_F64 && to != ONC_F64) continue;
    tape.output(tape.input(from));
    c.in.push_back(tensor(from, dims, Domain::percent, in));
    c.out.push_back(tensor(to, dims, {}, out));
    c.labels.push_back(std::string("from ") + dtype_name(from));
  }
  Case named = expr_case("cast all to " + std::string(dtype_name(to)) + " " + name, tape, dims);
  named.in = c.in;
  named.out = c.out;
  named.labels = c.labels;
  named.tolerance = Tolerance::exact;
  return named;
}

}  // namespace

void cast_cases(Cases& cases) {
  constexpr Layout C = Layout::contiguous;
  // A case of one source shares its kernel with those of the same memory order.
  const std::vector<uint32_t> to = {ONC_F32, ONC_F16, ONC_BF16, ONC_I8, ONC_I16, ONC_I32, ONC_I64, ONC_BOOL};
  for (uint32_t from : kAll) {
    cases.push_back(cast_case("odd", from, to, {7, 13}, Domain::percent, C, C));
    cases.push_back(cast_case("long", from, to, {5003}, Domain::percent, C, C));
    cases.push_back(cast_case("strided", from, to, {5, 3, 7}, Domain::percent, Layout::strided, Layout::reversed));
    cases.push_back(cast_case("empty", from, to, {0}, Domain::percent, C, C));
    if (from == ONC_BOOL || from == ONC_U8) continue;
    cases.push_back(cast_case("negative", from, to, {9, 7}, list({-100, -1.75, -0.5, 0, 0.25, 1.5, 99.75, -3}), C, C));
  }
  for (uint32_t dtype : {ONC_F64, ONC_U8}) {
    cases.push_back(gather_case("odd", dtype, {7, 13}, C, C));
    cases.push_back(gather_case("long", dtype, {5003}, C, C));
    cases.push_back(gather_case("strided", dtype, {5, 3, 7}, Layout::strided, Layout::reversed));
  }
  cases.push_back(cast_case("to uint8", ONC_F64, {ONC_U8}, {7, 13}, Domain::percent, C, C));
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
  // Floats beyond the integers: the least int32 or int64, whose low bits are 0, as PyTorch has it on x86. Known results, since the
  // oracle could err likewise.
  const std::vector<double> beyond = {nan,    inf, -inf, 300,  -300,  200,   -1.5, -200, 70000,
                                      -70000, 3e9, -3e9, 1e19, -1e19, 255.9, 128,  -129, -0.9};
  const std::vector<double> to_i32 = {-0x1p31, -0x1p31, -0x1p31, 300,     -300,    200, -1,  -200, 70000,
                                      -70000,  -0x1p31, -0x1p31, -0x1p31, -0x1p31, 255, 128, -129, 0};
  const std::vector<double> to_i64 = {-0x1p63, -0x1p63, -0x1p63, 300,     -300,    200, -1,  -200, 70000,
                                      -70000,  3e9,     -3e9,    -0x1p63, -0x1p63, 255, 128, -129, 0};
  const std::vector<double> to_i8 = {0, 0, 0, 44, -44, -56, -1, 56, 112, -112, 0, 0, 0, 0, -1, -128, 127, 0};
  const std::vector<double> to_i16 = {0, 0, 0, 300, -300, 200, -1, -200, 4464, -4464, 0, 0, 0, 0, 255, 128, -129, 0};
  const std::vector<double> to_u8 = {0, 0, 0, 44, 212, 200, 255, 56, 112, 144, 0, 0, 0, 0, 255, 128, 127, 0};
  for (uint32_t from : {ONC_F32, ONC_F64}) {
    for (const Dims& dims : {Dims{18}, Dims{360}, Dims{7, 36}}) {
      Case c = cast_case("beyond " + dims_name(dims), from, {ONC_I32, ONC_I64, ONC_I8, ONC_I16, ONC_U8, ONC_BOOL}, dims,
                         list(beyond), C, C);
      c.known = {{0, to_i32}, {1, to_i64}, {2, to_i8}, {3, to_i16}, {4, to_u8}};
      cases.push_back(c);
    }
    cases.push_back(cast_case("beyond strided", from, {ONC_I32, ONC_I64, ONC_I8, ONC_I16, ONC_U8, ONC_BOOL}, {5, 18}, list(beyond),
                              Layout::strided, Layout::reversed));
  }
  // A float64 becomes a half by way of float32, and an integer too: twice rounded.
  Case twice =
      cast_case("twice", ONC_F64, {ONC_F16, ONC_BF16, ONC_F32}, {6},
                list({1 + 0x1p-11 + 0x1p-40, 1 + 0x1p-8 + 0x1p-40, 65519.99999999, 1e300, 0x1p-25 + 0x1p-60, -1e-320}), C, C);
  twice.known = {{0, {1, 1.00390625, inf, inf, 0, -0.0}}, {1, {1, 1, 65536, inf, 0x1p-25, -0.0}}};
  cases.push_back(twice);
  Case whole = cast_case("twice", ONC_I64, {ONC_F16, ONC_BF16, ONC_F32, ONC_F64}, {6},
                         list({2049, 65520, 257, 16777217, -9223372036854775808.0, 2147483647}), C, C);
  whole.known = {{0, {2048, inf, 257, inf, -inf, inf}},
                 {1, {2048, 65536, 256, 16777216, -0x1p63, 0x1p31}},
                 {2, {2049, 65520, 257, 16777216, -0x1p63, 0x1p31}}};
  cases.push_back(whole);
  // Copies: every pair of layouts, and every item size.
  const Layout layouts[] = {C, Layout::padded, Layout::strided, Layout::reversed, Layout::swapped, Layout::channels_last};
  for (uint32_t dtype : {ONC_U8, ONC_F16, ONC_F32, ONC_I64}) {
    for (Layout in : layouts) {
      for (Layout out : layouts) {
        if (dtype != ONC_F32 && (in != Layout::reversed || out == Layout::padded || out == Layout::swapped)) continue;
        cases.push_back(cast_case(std::string("copy ") + layout_name(in) + " to " + layout_name(out), dtype, {dtype}, {3, 5, 2, 7},
                                  {}, in, out));
      }
    }
  }
}

}  // namespace oncilla::test
