// Random draws: the same seed gives the same bits everywhere.
#include "core/philox.hpp"
#include "ops/expr.hpp"

namespace oncilla::test {

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
      cases.push_back(n);

      Tape drop;  // dropout: x * (u < keep) * scale, with keep and scale at run time
      const Value x = drop.input(dtype), keep = drop.scalar(dtype), scale = drop.scalar(dtype);
      const Value kept = lt(uniform(drop, dtype), keep);
      drop.output(where(kept, x * scale, x * 0.0));
      drop.output(kept);
      Case d = expr_case(std::string("dropout ") + dtype_name(dtype) + " seed " + std::to_string(s), drop, {7, 65});
      d.in = {tensor(dtype, {7, 65})};
      d.out = {tensor(dtype, {7, 65}), tensor(ONC_BOOL, {7, 65})};
      d.scalars = {scalar(0.75), scalar(1 / 0.75), seeds[s][0], seeds[s][1]};
      cases.push_back(d);
    }
  }
}

}  // namespace oncilla::test
