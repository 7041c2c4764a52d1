// SOFTMAX and log-softmax, the row's maximum taken off first.
#include <algorithm>
#include <cmath>

#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_softmax(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_softmax_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(0).numel() * 4);
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const kit::Dims& dims = call.desc().input(0).dims;
    const int64_t rows = product(dims, 0, attrs.axis), length = dims[attrs.axis],
                  inner = product(dims, attrs.axis + 1, dims.size());
    std::vector<double> x = call.read(0), y(x.size());
    for (int64_t row = 0; row < rows * inner; ++row) {
      const auto at = [&](int64_t j) { return static_cast<size_t>((row / inner * length + j) * inner + row % inner); };
      double top = x.empty() ? 0 : x[at(0)], sum = 0;
      for (int64_t j = 0; j < length; ++j) top = std::max(top, x[at(j)]);
      for (int64_t j = 0; j < length; ++j) sum += std::exp(x[at(j)] - top);
      for (int64_t j = 0; j < length; ++j) y[at(j)] = attrs.log ? x[at(j)] - top - std::log(sum) : std::exp(x[at(j)] - top) / sum;
    }
    call.write(0, y);
  });
}

}  // namespace oncilla::reference
