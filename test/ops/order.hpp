// What the cases of SORT and TOP_K share.
#pragma once

#include "ops/cases.hpp"

namespace oncilla::test {

struct OrderShape {
  Dims dims;
  uint32_t axis;
  Layout layout = Layout::contiguous;
};

Case sort_case(uint32_t dtype, const OrderShape& shape, bool descending, const Fill& fill = {}, const std::string& what = "");
// NaN, infinities, both zeros; many equals.
const std::vector<Fill>& odd_floats();

}  // namespace oncilla::test
