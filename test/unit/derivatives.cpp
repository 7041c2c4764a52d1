// Every derivative column of elementwise.def against a central difference of its value column, in double, at random points of its
// domain.
#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <string>

#include "core/scalar_math.hpp"

namespace oncilla::scalar_math {
namespace {

// The derivative columns, compiled where the names are those of the file.
constexpr double zero = 0.0, undefined = std::numeric_limits<double>::quiet_NaN();
#define ONC_EW(number, NAME, name, arity, result, F, I, DA, DB, DC, domain)                                                        \
  void gradient_##name([[maybe_unused]] double g, [[maybe_unused]] double r, [[maybe_unused]] double a, [[maybe_unused]] double b, \
                       [[maybe_unused]] double c, double(&out)[3]) {                                                               \
    out[0] = DA;                                                                                                                   \
    out[1] = DB;                                                                                                                   \
    out[2] = DC;                                                                                                                   \
  }
#include "oncilla/elementwise.def"
#undef ONC_EW

enum class Domain { any, positive, nonzero, unit, open_unit, above_one, boolean, shift };

double draw(Domain domain, int arity, int operand, std::mt19937& random) {
  const auto between = [&](double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); };
  switch (domain) {
    case Domain::positive:
      return between(0.2, 3.0);
    case Domain::unit:
      return between(-0.95, 0.95);
    case Domain::open_unit:
      return between(0.05, 0.95);
    case Domain::above_one:
      return between(1.1, 3.0);
    case Domain::boolean:
      return between(0.0, 1.0) < 0.5 ? 0.0 : 1.0;
    case Domain::nonzero:
      if (arity == 1 || operand == 1) return (between(0.0, 1.0) < 0.5 ? -1.0 : 1.0) * between(0.3, 2.0);
      [[fallthrough]];
    default:
      return between(-2.0, 2.0);
  }
}

struct Row {
  const char* name;
  int arity;
  Domain domain;
  double (*value)(double, double, double);
  void (*gradient)(double, double, double, double, double, double (&)[3]);
  std::string columns[3] = {};
};

// The largest disagreement of a row over many points, relative to 1 + |difference|. Points where the difference quotients of two
// step sizes disagree lie on a kink or a jump and are left out; `used` counts the others.
double worst(const Row& row, int& used) {
  std::mt19937 random(11);
  double worst = 0;
  used = 0;
  for (int point = 0; point < 200; ++point) {
    double at[3] = {};
    for (int i = 0; i < row.arity; ++i) at[i] = draw(row.domain, row.arity, i, random);
    const double g = 0.7;
    const double r = row.value(at[0], at[1], at[2]);
    double given[3];
    row.gradient(g, r, at[0], at[1], at[2], given);
    for (int i = 0; i < row.arity; ++i) {
      if (row.columns[i] == "undefined") {
        ++used;
        continue;
      }
      const auto quotient = [&](double h) {
        double low[3] = {at[0], at[1], at[2]}, high[3] = {at[0], at[1], at[2]};
        low[i] -= h;
        high[i] += h;
        return g * (row.value(high[0], high[1], high[2]) - row.value(low[0], low[1], low[2])) / (2 * h);
      };
      const double wide = quotient(2e-4), narrow = quotient(1e-4);
      const double expected = narrow + (narrow - wide) / 3;  // Richardson: the h^2 term cancels
      if (!(std::fabs(wide - narrow) <= 1e-3 * (1 + std::fabs(narrow)))) continue;
      ++used;
      const double error = std::fabs(given[i] - expected) / (1 + std::fabs(expected));
      if (!(error <= worst)) worst = error;  // NaN too
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("derivatives: every row of elementwise.def") {
#define ONC_SCALAR_CALL_1(name) name(a)
#define ONC_SCALAR_CALL_2(name) name(a, b)
#define ONC_SCALAR_CALL_3(name) name(a, b, c)
#define ONC_EW(number, NAME, name, arity, result, F, I, DA, DB, DC, domain)                 \
  {#name,           arity,                                                                  \
   Domain::domain,  [](double a, [[maybe_unused]] double b, [[maybe_unused]] double c) { return ONC_SCALAR_CALL_##arity(name); }, \
   gradient_##name, {#DA, #DB, #DC}},
  const Row rows[] = {
#include "oncilla/elementwise.def"
  };
#undef ONC_EW
  size_t checked = 0, integer = 0;
  for (const Row& row : rows) {
    CAPTURE(std::string(row.name));
    if (std::isnan(row.value(1, 1, 1))) {  // integers only
      ++integer;
      continue;
    }
    int used = 0;
    const double error = worst(row, used);
    CHECK(used >= 150);
    CHECK(error < 1e-7);
    ++checked;
  }
  CHECK(integer == 8);  // the bit operations, gcd and lcm
  CHECK(checked + integer == std::size(rows));
  CHECK(checked >= 59);
}

TEST_CASE("derivatives: a wrong column is seen") {
  int used = 0;
  const Row wrong = {"sin, of the wrong sign", 1, Domain::any, [](double a, double, double) { return std::sin(a); },
                     [](double g, double, double a, double, double, double(&out)[3]) { out[0] = -g * std::cos(a); }};
  CHECK(worst(wrong, used) > 0.1);
  const Row nan = {"a NaN", 1, Domain::any, [](double a, double, double) { return a; },
                   [](double, double, double, double, double, double(&out)[3]) { out[0] = std::nan(""); }};
  CHECK_FALSE(worst(nan, used) < 1e-7);
}

// At a tie the gradient is shared, and NaN stays NaN.
TEST_CASE("derivatives: ties and NaN of maximum and minimum") {
  double out[3];
  gradient_maximum(1.0, 2.0, 2.0, 2.0, 0.0, out);
  CHECK(out[0] == 0.5);
  CHECK(out[1] == 0.5);
  gradient_minimum(1.0, 2.0, 2.0, 2.0, 0.0, out);
  CHECK(out[0] == 0.5);
  CHECK(out[1] == 0.5);
  CHECK(std::isnan(maximum(std::nan(""), 1.0)));
  CHECK(std::isnan(minimum(1.0, std::nan(""))));
}

TEST_CASE("scalar math: values") {
  CHECK(remainder(-7.0, 3.0) == 2.0);
  CHECK(remainder(7.0, -3.0) == -2.0);
  CHECK(fmod(-7.0, 3.0) == -1.0);
  CHECK(floor_div(-7.0, 3.0) == -3.0);
  CHECK(trunc_div(-7.0, 3.0) == -2.0);
  CHECK(round(2.5) == 2.0);
  CHECK(round(3.5) == 4.0);
  CHECK(sign(-3.0) == -1.0);
  CHECK(where(gt(2.0, 1.0), 5.0, 6.0) == 5.0);
  CHECK(sigmoid(0.0) == 0.5);
}

}  // namespace oncilla::scalar_math
