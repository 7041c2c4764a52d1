// SORT: std::stable_sort of each row's positions.
#include "ops/ops.hpp"
#include "order.hpp"
#include "rows.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_sort(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_sort_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(0).numel());
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const kit::Tensor& in = call.desc().input(0);
    const Rows rows(in.dims, attrs.axis);
    const std::vector<Number> x = call.read_numbers(0);
    std::vector<Number> y(x.size());
    std::vector<int64_t> index(x.size());
    for (int64_t row = 0; row < rows.count; ++row) {
      const std::vector<int64_t> order = sorted_positions(x, rows, row, is_float(in.dtype), attrs.descending != 0);
      for (int64_t j = 0; j < rows.length; ++j) {
        const auto at = rows.position(row, j);
        index[at] = order[static_cast<size_t>(j)];
        y[at] = x[rows.position(row, index[at])];
      }
    }
    call.write_numbers(0, y);
    call.write_int(1, index);
  });
}

}  // namespace oncilla::reference
