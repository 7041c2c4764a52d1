// Every row of elementwise.def, for every dtype and layout, and its derivative. A dozen rows share a tape, since on a CPU
// runtime a kernel costs more to build than to run; a new row needs no edit here.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>

#include "ops/expr.hpp"

namespace oncilla::test {
namespace {

// Tapes do not grow beyond this, so that a failing row is soon found.
constexpr size_t kRowsPerTape = 12;

struct Row {
  uint32_t op;
  const char* name;
  uint32_t arity;
  bool floating, integer, boolean;  // boolean: the result
  Domain domain;
};

bool is_given(const char* column) { return std::string(column) != "NONE"; }

std::vector<Row> rows() {
  [[maybe_unused]] constexpr bool same = false, boolean = true;  // the words of the column `result`
  std::vector<Row> rows;
#define ONC_EW(number, NAME, name, arity, result, F, I, DA, DB, DC, domain) \
  rows.push_back({number, #name, arity, is_given(#F), is_given(#I), result, ONC_TEST_DOMAIN_##domain});
#define ONC_TEST_DOMAIN_any Domain::any
#define ONC_TEST_DOMAIN_positive Domain::positive
#define ONC_TEST_DOMAIN_nonzero Domain::nonzero
#define ONC_TEST_DOMAIN_unit Domain::unit
#define ONC_TEST_DOMAIN_open_unit Domain::open_unit
#define ONC_TEST_DOMAIN_above_one Domain::above_one
#define ONC_TEST_DOMAIN_boolean Domain::boolean
#define ONC_TEST_DOMAIN_shift Domain::shift
#include "oncilla/elementwise.def"
#undef ONC_EW
  return rows;
}

// Rows that work on bool operands as well.
bool takes_bool(const Row& row) {
  static const uint32_t ops[] = {ONC_EX_EQ,          ONC_EX_NE,      ONC_EX_LOGICAL_AND, ONC_EX_LOGICAL_OR, ONC_EX_LOGICAL_XOR,
                                 ONC_EX_LOGICAL_NOT, ONC_EX_BIT_AND, ONC_EX_BIT_OR,      ONC_EX_BIT_XOR};
  return std::find(std::begin(ops), std::end(ops), row.op) != std::end(ops);
}

struct Shape {
  const char* name;
  Dims dims;
  Layout layouts[3];       // of the inputs
  uint32_t broadcasts[3];  // of the inputs
  Layout out = Layout::contiguous;
};

constexpr Layout C = Layout::contiguous;
// Two kinds of kernel at most: all contiguous, or any strides. More shapes and layouts over a small tape are in expr_structure.cpp.
const std::vector<Shape>& shapes() {
  static const std::vector<Shape> list = {
      {"scalar", {}, {C, C, C}, {0, 0, 0}},
      {"one", {1}, {C, C, C}, {0, 0, 0}},
      {"empty", {3, 0, 5}, {C, C, C}, {0, 0, 0}},
      {"odd", {5, 7, 11}, {C, C, C}, {0, 0, 0}},
      {"long", {20011}, {C, C, C}, {0, 0, 0}},
      {"strided", {5, 7, 11}, {Layout::reversed, Layout::strided, Layout::padded}, {0, 2, 4}, Layout::padded},
      {"broadcast", {7, 5, 13}, {Layout::reversed, Layout::strided, Layout::padded}, {1, 2, 4}, Layout::padded},
  };
  return list;
}

// Rows in tapes of up to kRowsPerTape.
std::vector<std::vector<Row>> groups(bool (*fits)(const Row&)) {
  std::vector<std::vector<Row>> result;
  for (const Row& row : rows()) {
    if (!fits(row)) continue;
    if (result.empty() || result.back().size() == kRowsPerTape) result.emplace_back();
    result.back().push_back(row);
  }
  return result;
}

// Where operand k of a row is drawn: nonzero and shift speak of b where there are two.
Domain operand_domain(const Row& row, uint32_t k, uint32_t dtype) {
  const bool of_b = row.arity == 2 && (row.domain == Domain::nonzero || row.domain == Domain::shift);
  if (of_b && k == 0) return is_float(dtype) ? Domain::any : Domain::wide;
  if (row.domain == Domain::any && !is_float(dtype) && row.arity < 3) return Domain::wide;
  return row.domain;
}

// One tape for all rows; those that draw an operand from the same domain share that input.
// fills: instead of the domains, one for each operand number.
Case group_case(const std::vector<Row>& group, uint32_t dtype, const Shape& shape, const std::vector<Fill>& fills = {}) {
  Tape tape;
  std::map<std::pair<Domain, uint32_t>, Value> inputs;
  Case c;
  const auto operand = [&](const Row& row, uint32_t k) {
    if (k >= row.arity) return Value();
    const Domain domain = operand_domain(row, k, dtype);
    Value& value = inputs[{domain, k}];
    if (!value.tape) {
      value = tape.input(dtype);
      c.in.push_back(tensor(dtype, shape.dims, fills.empty() ? Fill(domain) : fills[k], shape.layouts[k], shape.broadcasts[k]));
    }
    return value;
  };
  for (const Row& row : group) {
    const Value a = operand(row, 0), b = operand(row, 1);
    tape.output(tape.apply(row.op, a, b, operand(row, 2)));
    c.out.push_back(tensor(row.boolean ? uint32_t{ONC_BOOL} : dtype, shape.dims, {}, shape.out));
    c.labels.push_back(row.name);
  }
  Case named = expr_case(std::string(group.front().name) + " … " + group.back().name + " " + dtype_name(dtype) + " " + shape.name,
                         tape, shape.dims);
  named.in = c.in;
  named.out = c.out;
  named.labels = c.labels;
  return named;
}

// NaN, infinities, both zeros against each other. Large arguments stay where every libm reduces them well. The tapes are those of
// the ordinary cases.
void special_cases(Cases& cases) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> specials = {nan, inf, -inf, 0.0, -0.0, 1, -1, 0.5, -2.5, 100, -100};
  std::vector<double> repeated;  // each value for a row: operand a runs along columns, b along rows
  for (double value : specials) repeated.insert(repeated.end(), specials.size(), value);
  // A polynomial of degree 100 overflows in float32 on its way, and infinity minus infinity is NaN there but not in the oracle's
  // double.
  std::vector<double> degrees = repeated;
  std::replace(degrees.begin(), degrees.end(), 100.0, 12.0);
  const auto polynomial = [](const Row& row) {
    const std::string_view name = row.name;
    return name.starts_with("chebyshev") || name.starts_with("hermite") || name.starts_with("laguerre") ||
           name.starts_with("legendre");
  };
  const auto n = static_cast<int64_t>(specials.size());
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const auto& group : groups([](const Row& row) { return row.floating; })) {
      const bool low = std::any_of(group.begin(), group.end(), polynomial);
      cases.push_back(group_case(group, dtype, {"specials", {n, n}, {C, C, C}, {0, 0, 0}},
                                 {list(specials), list(low ? degrees : repeated), list({1, nan, -inf, 2})}));
    }
  }
}

// The extremes of the integers against each other, in every row; what is known of some of them, as PyTorch has it.
void integer_cases(Cases& cases) {
  for (uint32_t dtype : {ONC_I32, ONC_I64}) {
    const double least = dtype == ONC_I64 ? -0x1p63 : -0x1p31, most = dtype == ONC_I64 ? 0x1.fffffffffffffp62 : 0x1p31 - 1;
    const std::vector<double> extremes = {
        least, least + (dtype == ONC_I64 ? 1024 : 1), most, 0, 1, -1, 2, -2, 7, -7, 31, 32, 63, 64, 65};
    std::vector<double> repeated;
    for (double value : extremes) repeated.insert(repeated.end(), extremes.size(), value);
    const auto n = static_cast<int64_t>(extremes.size());
    for (const auto& group : groups([](const Row& row) { return row.integer; })) {
      cases.push_back(group_case(group, dtype, {"extremes", {n, n}, {C, C, C}, {0, 0, 0}},
                                 {list(extremes), list(repeated), list({least, -1, 3})}));
    }
    const auto known = [&](uint32_t op, const char* name, std::vector<double> a, std::vector<double> b,
                           std::vector<double> results) {
      const Dims dims = {static_cast<int64_t>(a.size())};
      Tape tape;
      const Value x = tape.input(dtype), y = tape.input(dtype);
      tape.output(tape.apply(op, x, y));
      Case c = expr_case(std::string("known ") + name + " " + dtype_name(dtype), tape, dims);
      c.in = {tensor(dtype, dims, list(std::move(a))), tensor(dtype, dims, list(std::move(b)))};
      c.out = {tensor(dtype, dims)};
      c.known = {{0, std::move(results)}};
      cases.push_back(c);
    };
    known(ONC_EX_POW, "pow", {0, 1, -1, 2, -3, -1, 3, 0, 2, -2}, {-1, -2, -1, -1, -2, -2, 5, 0, 62, 3},
          {0, 1, -1, 0, 0, 1, 243, 1, dtype == ONC_I64 ? 0x1p62 : 0, -8});
    known(ONC_EX_GCD, "gcd", {0, -4, 12, 7, 0}, {0, 6, -18, 0, -5}, {0, 2, 6, 7, 5});
    known(ONC_EX_LCM, "lcm", {-4, 0, 6, 7}, {6, 3, -4, 7}, {12, 0, 12, 7});
    known(ONC_EX_FLOOR_DIV, "floor_div", {least, 5, -5, 7, least}, {2, -2, 2, -3, -1}, {least / 2, -3, -3, -3, least});
    known(ONC_EX_REMAINDER, "remainder", {least, 5, -5, 7, least}, {2, -2, 2, -3, -1}, {0, -1, 1, -2, 0});
    known(ONC_EX_FMOD, "fmod", {least, 5, -5, 7, least}, {2, -2, 2, -3, -1}, {0, 1, -1, 1, 0});
  }
}

// The special functions over the ranges that their parts are made for, beyond what the domains draw.
void range_cases(Cases& cases) {
  const std::vector<double> unary = {1e-30, 1e-7, 0.01, 0.3,  0.49, 0.51, 0.75, 0.9,   0.999, 1.25,  1.4616,
                                     1.5,   1.99, 2.01, 2.5,  3.7,  5.5,  7.9,  8.1,   9.99,  10.5,  11.9,
                                     12.1,  15,   25.5, 40,   60,   85,   88,   -1e-7, -0.3,  -0.75, -0.95,
                                     -1.5,  -2.2, -3.6, -5.2, -7.9, -8.1, -9.5, -12.3, -20.5, -40,   -85};
  const std::vector<double> first = {0.01, 0.3, 0.9, 1.5, 2.5, 4, 7, 9.9, 11, 20, 50, 150, 250, 3000, 30000},
                            second = {0.01, 0.2, 0.45, 0.6, 1.05, 1.2, 3, 8, 12, 30, 80, 160, 245, 2990, 30100};
  std::vector<double> repeated;
  for (double value : second) repeated.insert(repeated.end(), first.size(), value);
  const auto n = static_cast<int64_t>(first.size());
  const auto special = [](const Row& row) { return row.floating && row.op >= ONC_EX_LGAMMA && row.op < ONC_EX_CHEBYSHEV_T; };
  static const auto of_one = [special](const Row& row) { return special(row) && row.arity == 1; };
  static const auto of_two = [special](const Row& row) { return special(row) && row.arity == 2 && row.op != ONC_EX_POLYGAMMA; };
  static const auto polygamma = [](const Row& row) { return row.op == ONC_EX_POLYGAMMA; };
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    const auto add = [&](bool (*fits)(const Row&), const char* name, const std::vector<double>& a) {
      for (const auto& group : groups(fits))
        cases.push_back(group_case(group, dtype, {name, {n, n}, {C, C, C}, {0, 0, 0}}, {list(a), list(repeated), list({1})}));
    };
    add([](const Row& row) { return of_one(row); }, "ranges", unary);
    add([](const Row& row) { return of_two(row); }, "pairs", first);
    add([](const Row& row) { return polygamma(row); }, "orders", {0, 1, 2, 3, 4, 5, 8, -1});
  }
}

// sin, cos and tan beside and beyond the border of their own reduction (kernels/lib/special/trig.h), with small lanes among huge
// ones, and erf beside its own (error.h); the last vector is a tail. Multiples of pi/2 as near as a float32 comes to them are
// results near 0.
void circle_cases(Cases& cases) {
  const std::vector<double> angles = {0.5,        12799.9990234375,
                                      1e5,        -2.25,
                                      12800,      12800.001953125,
                                      -3e7,       1e-3,
                                      1e30,       -0.75,
                                      1.5707964,  3.1415927,
                                      -4.712389,  6.2831855,
                                      11,         355,
                                      -710,       5215.0439,
                                      7852.15967, 7969.96924,
                                      3e38,       -100,
                                      1,          -12800.0,
                                      1e10,       0.1,
                                      -7e-5,      2,
                                      16777216,   -1e-30,
                                      0.9375,     -0.9375,
                                      0.9376,     3.9,
                                      -4.1,       65536,
                                      12345.678};
  const Dims dims = {static_cast<int64_t>(angles.size())};
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    Tape tape;
    const Value x = tape.input(dtype);
    for (uint32_t op : {ONC_EX_SIN, ONC_EX_COS, ONC_EX_TAN, ONC_EX_ERF}) tape.output(tape.apply(op, x));
    Case c = expr_case(std::string("circle ") + dtype_name(dtype), tape, dims);
    std::vector<double> held = angles;
    if (dtype == ONC_F32)
      for (double& angle : held) angle = static_cast<double>(static_cast<float>(angle));
    c.in = {tensor(dtype, dims, list(held))};
    c.out.assign(4, tensor(dtype, dims));
    c.labels = {"sin", "cos", "tan", "erf"};
    cases.push_back(c);
  }
}

// What random numbers are made of: equal bits, for every exponent and many fractions, special values and integers among them. SINPI
// and COSPI get no subnormal numbers, which some devices count as zero.
void repro_cases(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    const int least = dtype == ONC_F64 ? -1022 : -126, most = dtype == ONC_F64 ? 1023 : 127, bits = dtype == ONC_F64 ? 52 : 23;
    std::vector<double> all = {0.0, -0.0, INFINITY, -INFINITY, NAN}, normal = all;
    uint64_t random = 1;
    for (int exponent = least - bits; exponent <= most; ++exponent) {
      for (int k = 0; k < 8; ++k) {
        random = random * 6364136223846793005 + 1442695040888963407;
        double fraction = static_cast<double>(k == 0 ? 0 : random >> 11) * 0x1p-53;
        if (dtype == ONC_F32) fraction = static_cast<double>(static_cast<float>(fraction * 0.9999));
        const double value = std::ldexp(1 + fraction, exponent) * (k % 3 == 2 ? -1 : 1);
        all.push_back(value);
        if (exponent >= least) normal.push_back(value);
      }
    }
    for (int i = -40; i < 400; ++i) normal.push_back(i * 0.25), all.push_back(0.5 + i * 0.00390625), all.push_back(i);
    const auto add = [&](const char* name, const std::vector<uint32_t>& ops, const std::vector<double>& values) {
      const Dims dims = {static_cast<int64_t>(values.size())};
      Tape tape;
      const Value x = tape.input(dtype);
      for (uint32_t op : ops) tape.output(tape.apply(op, x));
      Case c = expr_case(std::string("equal bits ") + name + " " + dtype_name(dtype), tape, dims);
      c.in = {tensor(dtype, dims, list(values))};
      c.out.assign(ops.size(), tensor(dtype, dims));
      c.tolerance = Tolerance::exact;
      cases.push_back(c);
    };
    add("roots", {ONC_EX_REPRO_LOG, ONC_EX_REPRO_EXP, ONC_EX_REPRO_SQRT, ONC_EX_REPRO_RECIPROCAL}, all);
    add("circle", {ONC_EX_REPRO_SINPI, ONC_EX_REPRO_COSPI}, normal);
  }
}

// The derivative columns, as tapes: the same text that automatic differentiation compiles.
void gradient_cases(Cases& cases) {
  const auto add = [&](uint32_t op, const char* name, uint32_t arity, Domain domain, const std::array<std::string, 3>& columns,
                       auto&& derivative) {
    for (uint32_t dtype : {ONC_F32, ONC_F64}) {
      const Row row{op, name, arity, true, false, false, domain};
      const Shape shape{"gradient", {3, 7}, {C, C, C}, {0, 0, 0}};
      Case forward = group_case({row}, dtype, shape);
      Tape tape;
      const Value g = tape.input(dtype);
      Value x[3];
      for (uint32_t k = 0; k < arity; ++k) x[k] = tape.input(dtype);
      const Value r = tape.apply(op, x[0], x[1], x[2]);
      for (const Value& d : derivative(g, r, x)) tape.output(d);
      Case c = expr_case("gradient of " + std::string(name) + " " + dtype_name(dtype), tape, shape.dims);
      c.in.push_back(tensor(dtype, shape.dims));
      for (uint32_t k = 0; k < arity; ++k) {
        c.in.push_back(forward.in[k]);
        c.out.push_back(tensor(dtype, shape.dims));
        c.feeds.push_back({k + 1, false, k});
        if (columns[k] != "undefined") c.gradients.push_back({k, k});
      }
      if (c.gradients.empty()) continue;
      c.forward = std::make_shared<Case>(forward);
      c.gradient_only = true;
      cases.push_back(c);
    }
  };
#define ONC_TEST_LIST_1(DA, DB, DC) \
  { DA }
#define ONC_TEST_LIST_2(DA, DB, DC) \
  { DA, DB }
#define ONC_TEST_LIST_3(DA, DB, DC) \
  { DA, DB, DC }
#define ONC_TEST_RESULT_same true
#define ONC_TEST_RESULT_boolean false
#define ONC_EW(number, NAME, name, arity, result, F, I, DA, DB, DC, domain)                               \
  if (ONC_TEST_RESULT_##result && is_given(#F)) {                                                         \
    add(number, #name, arity, ONC_TEST_DOMAIN_##domain, {#DA, #DB, #DC},                                  \
        [](Value g, Value r, const Value* x) -> std::vector<Value> {                                      \
          [[maybe_unused]] const Value a = x[0], b = x[1], c = x[2], zero = g * 0.0, undefined = g * NAN; \
          (void)r;                                                                                        \
          return ONC_TEST_LIST_##arity((DA), (DB), (DC));                                                 \
        });                                                                                               \
  }
#include "oncilla/elementwise.def"
#undef ONC_EW
}

}  // namespace

void elementwise_cases(Cases& cases) {
  for (const Shape& shape : shapes()) {
    for (const auto& group : groups([](const Row& row) { return row.floating; })) {
      for (uint32_t dtype : {ONC_F32, ONC_F64}) cases.push_back(group_case(group, dtype, shape));
    }
    for (const auto& group : groups([](const Row& row) { return row.integer; })) {
      for (uint32_t dtype : {ONC_I32, ONC_I64}) cases.push_back(group_case(group, dtype, shape));
    }
    for (const auto& group : groups(takes_bool)) cases.push_back(group_case(group, ONC_BOOL, shape));
  }
  special_cases(cases);
  integer_cases(cases);
  range_cases(cases);
  circle_cases(cases);
  repro_cases(cases);
  gradient_cases(cases);
}

}  // namespace oncilla::test
