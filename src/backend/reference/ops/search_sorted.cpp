// SEARCH_SORTED: how many elements of the row come before the value, by bisection, as PyTorch's: a comparison with NaN is false, so
// a NaN among the values goes behind everything.
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_search_sorted(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_search_sorted_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(1).numel());
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const int64_t n = call.desc().input(0).dims.back(), m = call.desc().input(1).dims.back();
    const bool floating = is_float(call.desc().input(0).dtype);
    const std::vector<Number> sorted = call.read_numbers(0), values = call.read_numbers(1);
    const std::vector<int64_t> sorter = call.read_int(2);
    std::vector<int64_t> out;
    for (size_t i = 0; i < values.size(); ++i) {
      const auto row = static_cast<int64_t>(i) / m * n;
      const Number value = values[i];
      int64_t low = 0, high = n;
      while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const int64_t position = sorter.empty() ? middle : sorter[static_cast<size_t>(row + middle)];
        const bool inside = position >= 0 && position < n;
        const Number there = inside ? sorted[static_cast<size_t>(row + position)] : Number{};
        const bool behind = floating ? (attrs.right ? there.f > value.f : there.f >= value.f)
                                     : (attrs.right ? there.i > value.i : there.i >= value.i);
        if (behind) {
          high = middle;
        } else {
          low = middle + 1;
        }
      }
      out.push_back(low);
    }
    call.write_int(0, out);
  });
}

}  // namespace oncilla::reference
