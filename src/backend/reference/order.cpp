#include "order.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "rows.hpp"
#include "storage.hpp"

namespace oncilla::reference {
namespace {

bool before(const Number& a, const Number& b, bool floating) {
  if (!floating) return a.i < b.i;
  return std::isnan(b.f) ? !std::isnan(a.f) : a.f < b.f;
}

// Positions 0 … length-1 of a row of x, in order.
std::vector<int64_t> sorted_positions(const std::vector<Number>& x, const Rows& rows, int64_t row, bool floating, bool descending) {
  std::vector<int64_t> order(static_cast<size_t>(rows.length));
  std::iota(order.begin(), order.end(), 0);
  const auto value = [&](int64_t j) -> const Number& { return x[rows.position(row, j)]; };
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return descending ? before(value(b), value(a), floating) : before(value(a), value(b), floating);
  });
  return order;
}

}  // namespace

std::unique_ptr<onc_plan> make_ordered(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_sort_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(0).numel());
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const kit::Tensor& in = call.desc().input(0);
    const kit::Tensor& out = call.desc().has_out(0) ? call.desc().output(0) : call.desc().output(1);
    const Rows rows(in.dims, attrs.axis), first(out.dims, attrs.axis);
    const std::vector<Number> x = call.read_numbers(0);
    std::vector<Number> y(static_cast<size_t>(out.numel()));
    std::vector<int64_t> index(y.size());
    for (int64_t row = 0; row < rows.count; ++row) {
      const std::vector<int64_t> order = sorted_positions(x, rows, row, is_float(in.dtype), attrs.descending != 0);
      for (int64_t j = 0; j < first.length; ++j) {
        const size_t at = first.position(row, j);
        index[at] = order[static_cast<size_t>(j)];
        y[at] = x[rows.position(row, index[at])];
      }
    }
    call.write_numbers(0, y);
    call.write_int(1, index);
  });
}

}  // namespace oncilla::reference
