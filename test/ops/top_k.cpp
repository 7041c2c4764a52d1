// Cases of TOP_K: those of SORT, cut.
#include <cmath>

#include "ops/order.hpp"

namespace oncilla::test {
namespace {

Case top_k_case(uint32_t dtype, const OrderShape& shape, int64_t k, bool descending, const Fill& fill = {},
                const std::string& what = "") {
  Case c = sort_case(dtype, shape, descending, fill, what);
  c.op = ONC_OP_TOP_K;
  c.name.replace(0, 4, "top_k");
  c.name += " k " + std::to_string(k);
  for (Tensor& t : c.out) t.dims[shape.axis] = k;
  return c;
}

}  // namespace

void cases_top_k(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16, ONC_I8, ONC_I16, ONC_I32, ONC_I64, ONC_U8, ONC_BOOL}) {
    const Fill spread = is_float(dtype) ? Fill() : Fill(Domain::wide);
    cases.push_back(top_k_case(dtype, {{5, 13}, 1}, 1, true, spread));
    cases.push_back(top_k_case(dtype, {{5, 13}, 1}, 5, true, Domain::small_int, " many equals"));
    cases.push_back(top_k_case(dtype, {{3, 1031}, 1}, 7, true, spread));
    cases.push_back(top_k_case(dtype, {{2, 600}, 1}, 11, true, Domain::small_int, " many equals"));
    if (is_float(dtype)) cases.push_back(top_k_case(dtype, {{7, 31}, 1}, 5, true, odd_floats()[0], " NaN, infinities and zeros"));
  }
  for (uint32_t dtype : {ONC_F32, ONC_I64}) {
    for (bool descending : {false, true}) {
      cases.push_back(top_k_case(dtype, {{1}, 0}, 1, descending));
      cases.push_back(top_k_case(dtype, {{13}, 0}, 13, descending));
      cases.push_back(top_k_case(dtype, {{13}, 0}, 0, descending));
      cases.push_back(top_k_case(dtype, {{0, 5}, 1}, 2, descending));
      cases.push_back(top_k_case(dtype, {{3, 11, 5}, 1}, 4, descending, {}, ""));
      cases.push_back(top_k_case(dtype, {{3, 11, 5}, 0, Layout::reversed}, 2, descending));
      cases.push_back(top_k_case(dtype, {{3, 11, 5}, 2, Layout::padded}, 3, descending));
      cases.push_back(top_k_case(dtype, {{700, 3}, 0}, 64, descending));
      cases.push_back(top_k_case(dtype, {{3, 700}, 1, Layout::strided}, 100, descending));
    }
  }
  Case known = top_k_case(ONC_F32, {{6}, 0}, 3, true, list({2, 5, NAN, 5, -1, 5}), " known");
  known.known = {{0, {NAN, 5, 5}}, {1, {2, 1, 3}}};
  cases.push_back(known);
}

}  // namespace oncilla::test
