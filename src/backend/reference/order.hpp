// The order of SORT and TOP_K: NaN counts as greatest, -0 and +0 are equal, equals keep their order.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "rows.hpp"
#include "storage.hpp"

namespace oncilla::reference {

inline bool before(const Number& a, const Number& b, bool floating) {
  if (!floating) return a.i < b.i;
  return std::isnan(b.f) ? !std::isnan(a.f) : a.f < b.f;
}

// Positions 0 … length-1 of a row of x, in order.
inline std::vector<int64_t> sorted_positions(const std::vector<Number>& x, const Rows& rows, int64_t row, bool floating,
                                             bool descending) {
  std::vector<int64_t> order(static_cast<size_t>(rows.length));
  std::iota(order.begin(), order.end(), 0);
  const auto value = [&](int64_t j) -> const Number& { return x[rows.position(row, j)]; };
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return descending ? before(value(b), value(a), floating) : before(value(a), value(b), floating);
  });
  return order;
}

}  // namespace oncilla::reference
