// Cases of SOFTMAX.
#include "ops/softmax.hpp"

#include <cmath>
#include <limits>

namespace oncilla::test {

void cases_softmax(Cases& cases) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (bool log : {false, true}) {
      for (const SoftmaxShape& shape : kSoftmaxShapes) cases.push_back(softmax_case(dtype, shape, log));
      const SoftmaxShape row{{4, 6}, 1, Layout::contiguous};
      cases.push_back(softmax_case(dtype, row, log, list({1000, 1001, 999, 0, -1000, 1001}), " large values"));
      cases.push_back(softmax_case(dtype, row, log, list({-inf, 1, 2, -inf, 0, 3}), " minus infinity"));
      cases.push_back(softmax_case(dtype, row, log, list({0, 1, nan, 2, 3, 4, 5, 6, 7, 8, 9, 10}), " NaN in every other row"));
      cases.push_back(softmax_case(dtype, row, log, list({-inf, -inf, -inf, -inf, -inf, -inf, 1, 2, 3, 4, 5, 6}),
                                   " a row of minus infinities"));
      cases.push_back(softmax_case(dtype, row, log, list({inf, 1, 2, 3, 4, 5, 1, 1, 1, 1, 1, 1}), " infinity"));
      // The input is one row for all.
      Case broadcast = softmax_case(dtype, {{5, 9}, 1, Layout::contiguous}, log, {}, " broadcast rows");
      broadcast.in[0].broadcast = 1;
      cases.push_back(broadcast);
      // Unlike strides on both sides.
      Case mixed = softmax_case(dtype, {{6, 9, 4}, 1, Layout::contiguous}, log, {}, " from channels_last");
      mixed.in[0].layout = Layout::channels_last;
      cases.push_back(mixed);
    }
  }
  // Halves are stored and computed in float32: every variant loads and stores them, so the same shapes serve.
  for (uint32_t dtype : {ONC_F16, ONC_BF16}) {
    for (const SoftmaxShape& shape : kSoftmaxShapes) cases.push_back(softmax_case(dtype, shape, false));
    for (size_t i : {1, 2, 6, 12, 15, 18}) cases.push_back(softmax_case(dtype, kSoftmaxShapes[i], true));
    for (bool log : {false, true}) {
      const SoftmaxShape row{{4, 6}, 1, Layout::contiguous};
      cases.push_back(softmax_case(dtype, row, log, list({1000, 1001, 999, 0, -1000, 1001}), " large values"));
      cases.push_back(softmax_case(dtype, row, log, list({-inf, 1, 2, -inf, 0, nan, 1, 2, 3, 4, 5, 6}), " specials"));
    }
  }
  Case known = softmax_case(ONC_F64, {{1, 3}, 1, Layout::contiguous}, false, list({0, std::log(2.0), std::log(5.0)}), " known");
  known.known = {{0, {0.125, 0.25, 0.625}}};
  cases.push_back(known);
}

}  // namespace oncilla::test
