// SORT: std::stable_sort of each row's positions.
#include "ops/ops.hpp"
#include "order.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_sort(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_sort_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(0).numel());
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const kit::Tensor& in = call.desc().input(0);
    const int64_t length = in.dims[attrs.axis], inner = product(in.dims, attrs.axis + 1, in.dims.size()),
                  rows = product(in.dims, 0, attrs.axis) * inner;
    const std::vector<Number> x = call.read_numbers(0);
    std::vector<Number> y(x.size());
    std::vector<int64_t> index(x.size());
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t first = row / inner * length * inner + row % inner;
      const std::vector<int64_t> order = sorted_positions(x, first, inner, length, is_float(in.dtype), attrs.descending != 0);
      for (int64_t j = 0; j < length; ++j) {
        const auto at = static_cast<size_t>(first + j * inner);
        index[at] = order[static_cast<size_t>(j)];
        y[at] = x[static_cast<size_t>(first + index[at] * inner)];
      }
    }
    call.write_numbers(0, y);
    call.write_int(1, index);
  });
}

}  // namespace oncilla::reference
