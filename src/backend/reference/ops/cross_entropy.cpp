// CROSS_ENTROPY: log-sum-exp of each row less the logit of its class.
#include <algorithm>
#include <cmath>

#include "loss.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_cross_entropy(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_loss_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(0).numel() * 4);
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const std::vector<double> x = call.read(0);
    const Targets targets{Channels(call.desc().input(0).dims), call.read_int(1), call.read(2), attrs};
    std::vector<double> lse;
    for (size_t row = 0; row < targets.rows(); ++row) {
      double top = -std::numeric_limits<double>::infinity(), sum = 0;
      for (size_t c = 0; c < targets.channels.count; ++c) top = std::max(top, x[targets.position(row, c)]);
      for (size_t c = 0; c < targets.channels.count; ++c) sum += std::exp(x[targets.position(row, c)] - top);
      lse.push_back(top + std::log(sum));
    }
    call.write(0, targets.reduce([&](size_t row, size_t c) { return lse[row] - x[targets.position(row, c)]; }));
    call.write(1, {targets.total_weight()});
    call.write(2, lse);
  });
}

}  // namespace oncilla::reference
