// SOFTMAX_GRAD: y * (g - sum(g * y)) along the axis; of log-softmax g - exp(y) * sum(g).
#include <cmath>

#include "ops/ops.hpp"
#include "rows.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_softmax_grad(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_softmax_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(0).numel() * 4);
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const Rows rows(call.desc().input(0).dims, attrs.axis);
    const std::vector<double> g = call.read(0), y = call.read(1);
    std::vector<double> grad_x(g.size());
    for (int64_t row = 0; row < rows.count; ++row) {
      const auto at = [&](int64_t j) { return rows.position(row, j); };
      double sum = 0;
      for (int64_t j = 0; j < rows.length; ++j) sum += attrs.log ? g[at(j)] : g[at(j)] * y[at(j)];
      for (int64_t j = 0; j < rows.length; ++j)
        grad_x[at(j)] = attrs.log ? g[at(j)] - std::exp(y[at(j)]) * sum : y[at(j)] * (g[at(j)] - sum);
    }
    call.write(0, grad_x);
  });
}

}  // namespace oncilla::reference
