// Random draws: the same seed gives the same bits everywhere.
#include <cmath>

#include "core/random.hpp"
#include "ops/expr.hpp"

namespace oncilla::test {
namespace {

// Every distribution of core/random.hpp, equal to the last bit: parameters, then the draw. Halves round when they are stored.
void distribution_cases(Cases& cases, uint32_t dtype, const std::vector<onc_scalar>& seed, const std::string& tail) {
  const Dims dims = {33, 31};
  const auto add = [&](const std::string& name, Tape& tape, std::vector<double> parameters, uint32_t out) {
    Case c = expr_case(name + " " + dtype_name(dtype) + tail, tape, dims);
    for (const double value : parameters) c.scalars.push_back(scalar(value));
    c.scalars.insert(c.scalars.end(), seed.begin(), seed.end());
    c.out = {tensor(out, dims)};
    if (is_float(out) && dtype == ONC_F32) {
      tape.output(Value(&tape, tape.outs()[0], static_cast<uint16_t>(dtype)));
      c.set_tape(tape);
      c.out.push_back(tensor(ONC_BF16, dims, {}, Layout::reversed));
    }
    c.tolerance = Tolerance::exact;
    cases.push_back(c);
  };
  {
    Tape t;
    t.output(uniform_open(t, dtype));
    add("uniform_open", t, {}, dtype);
  }
  {
    Tape t;
    t.output(bernoulli(t, t.scalar(dtype)));
    add("bernoulli", t, {0.3}, ONC_BOOL);
  }
  {
    Tape t;
    t.output(exponential(t, t.scalar(dtype)));
    add("exponential", t, {1 / 1.5}, dtype);
  }
  {
    Tape t;
    t.output(geometric(t, t.scalar(dtype)));
    add("geometric", t, {1 / std::log1p(-0.2)}, dtype);
  }
  {
    Tape t;
    const Value median = t.scalar(dtype), scale = t.scalar(dtype);
    t.output(cauchy(t, median, scale));
    add("cauchy", t, {0.5, 2}, dtype);
  }
  {
    Tape t;
    const Value mean = t.scalar(dtype), deviation = t.scalar(dtype);
    t.output(log_normal(t, mean, deviation));
    add("log_normal", t, {0.25, 0.75}, dtype);
  }
  Tape t;
  const Value x = t.input(dtype), keep = t.scalar(dtype), scale = t.scalar(dtype);
  const Dropout dropped = dropout(t, x, keep, scale);
  t.output(dropped.y);
  t.output(dropped.kept);
  Case d = expr_case(std::string("dropout ") + dtype_name(dtype) + tail, t, {7, 65});
  d.in = {tensor(dtype, {7, 65})};
  d.out = {tensor(dtype, {7, 65}), tensor(ONC_BOOL, {7, 65})};
  d.scalars = {scalar(0.75), scalar(1 / 0.75), seed[0], seed[1]};
  cases.push_back(d);
}

}  // namespace

void random_cases(Cases& cases) {
  const std::vector<onc_scalar> seeds[] = {
      {scalar_int(0), scalar_int(0)}, {scalar_int(1234567890123456789), scalar_int(7)}, {scalar_int(-1), scalar_int(-1)}};
  const Dims shapes[] = {{1}, {5, 7}, {1025}, {3, 5, 7}};
  for (size_t s = 0; s < 3; ++s) {
    for (const Dims& dims : shapes) {
      Tape tape;
      for (uint32_t word = 0; word < 4; ++word) tape.output(tape.philox(word));
      Case c = expr_case("philox seed " + std::to_string(s) + " " + dims_name(dims), tape, dims);
      for (int word = 0; word < 4; ++word)
        c.out.push_back(tensor(ONC_I64, dims, {}, word == 1 ? Layout::reversed : Layout::contiguous));
      c.scalars = seeds[s];
      if (s == 0) {  // Random123's known answers for counter and key 0
        c.known = {{0, {double(0x6627e8d5)}}, {1, {double(0xe169c58d)}}, {2, {double(0xbc57ac4c)}}, {3, {double(0x9b00dbd8)}}};
      }
      cases.push_back(c);
    }
    for (uint32_t dtype : {ONC_F32, ONC_F64}) {
      Tape bits;
      const Value u = uniform(bits, dtype);
      bits.output(u);
      Case c = expr_case(std::string("uniform ") + dtype_name(dtype) + " seed " + std::to_string(s), bits, {33, 31});
      c.out = {tensor(dtype, {33, 31})};
      c.scalars = seeds[s];
      c.tolerance = Tolerance::exact;
      cases.push_back(c);

      Tape gauss;
      gauss.output(normal(gauss, dtype));
      Case n = expr_case(std::string("normal ") + dtype_name(dtype) + " seed " + std::to_string(s), gauss, {33, 31});
      n.out = {tensor(dtype, {33, 31})};
      n.scalars = seeds[s];
      n.tolerance = Tolerance::exact;
      cases.push_back(n);

      distribution_cases(cases, dtype, seeds[s], " seed " + std::to_string(s));
    }
  }
}

}  // namespace oncilla::test
