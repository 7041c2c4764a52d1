// Cases of ATTENTION: odd sizes, more and fewer keys than rows, masks that hide rows, groups of heads, dropout by the generator's
// bits, and large scores.
#include <cmath>

#include "ops/attention.hpp"

namespace oncilla::test {

void cases_attention(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const AttentionProblem& problem : attention_problems()) cases.push_back(attention_case(dtype, problem));
    // exp of these scores overflows unless their maximum is taken off.
    Case large = attention_case(dtype, {1, 2, 2, 5, 37, 5, 7});
    large.name += " large scores";
    large.scalars[0] = scalar(1000);
    cases.push_back(large);
    Case nan = attention_case(dtype, {1, 1, 1, 7, 5, 3, 3});
    nan.name += " NaN and infinity";
    nan.in[0].fill = list({1, 2, 0.5, NAN, 1, 1, 0.25, 0.5, 1, INFINITY, 1, 1, -1, 0.5, 0.25, 1, -INFINITY, 1, 0, 0, 0});
    nan.in[1].fill = list({1, 0.5, 0.25});
    cases.push_back(nan);
    // One key takes all the weight; with no score apart, all keys have the same.
    Case known = attention_case(dtype, {1, 1, 1, 2, 2, 1, 1});
    known.name += " known";
    known.in[0].fill = list({0, 1});
    known.in[1].fill = list({-100, 300});
    known.in[2].fill = list({2, 4});
    known.known = {{0, {3, 4}}, {1, {std::log(2.0), 120}}};
    cases.push_back(known);
  }
}

}  // namespace oncilla::test
