// SOFTMAX and log-softmax, the row's maximum taken off first.
#include <algorithm>
#include <cmath>

#include "ops/ops.hpp"
#include "rows.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_softmax(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_softmax_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(0).numel() * 4);
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const Rows rows(call.desc().input(0).dims, attrs.axis);
    std::vector<double> x = call.read(0), y(x.size());
    for (int64_t row = 0; row < rows.count; ++row) {
      const auto at = [&](int64_t j) { return rows.position(row, j); };
      double top = x.empty() ? 0 : x[at(0)], sum = 0;
      for (int64_t j = 0; j < rows.length; ++j) top = std::max(top, x[at(j)]);
      for (int64_t j = 0; j < rows.length; ++j) sum += std::exp(x[at(j)] - top);
      for (int64_t j = 0; j < rows.length; ++j)
        y[at(j)] = attrs.log ? x[at(j)] - top - std::log(sum) : std::exp(x[at(j)] - top) / sum;
    }
    call.write(0, y);
  });
}

}  // namespace oncilla::reference
