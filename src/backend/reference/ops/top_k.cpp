// TOP_K: the first of the sorted order.
#include "ops/ops.hpp"
#include "order.hpp"
#include "rows.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_top_k(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_sort_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(0).numel());
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const kit::Tensor& in = call.desc().input(0);
    const kit::Tensor& out = call.desc().has_out(0) ? call.desc().output(0) : call.desc().output(1);
    const Rows rows(in.dims, attrs.axis), chosen(out.dims, attrs.axis);
    const std::vector<Number> x = call.read_numbers(0);
    std::vector<Number> y(static_cast<size_t>(out.numel()));
    std::vector<int64_t> index(y.size());
    for (int64_t row = 0; row < rows.count; ++row) {
      const std::vector<int64_t> order = sorted_positions(x, rows, row, is_float(in.dtype), attrs.descending != 0);
      for (int64_t j = 0; j < chosen.length; ++j) {
        const auto at = chosen.position(row, j);
        index[at] = order[static_cast<size_t>(j)];
        y[at] = x[rows.position(row, index[at])];
      }
    }
    call.write_numbers(0, y);
    call.write_int(1, index);
  });
}

}  // namespace oncilla::reference
