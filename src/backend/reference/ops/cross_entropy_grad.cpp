// CROSS_ENTROPY_GRAD: the row's gradient times the sum over the classes that count in its loss of their share times (softmax -
// one-hot).
#include <cmath>

#include "loss.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_cross_entropy_grad(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_loss_attrs>();
  const auto flops = static_cast<uint64_t>(desc.output(0).numel() * 4);
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const std::vector<double> grad_loss = call.read(0), x = call.read(1), total = call.read(4), lse = call.read(5);
    const Targets targets{Channels(call.desc().input(1).dims), call.read_int(2), call.read(3), attrs};
    std::vector<double> grad(x.size(), 0.0);
    for (size_t row = 0; row < targets.rows(); ++row) {
      if (targets.ignored(row)) continue;
      const double g = targets.row_grad(row, grad_loss, total[0]);
      double shares = 0;
      for (size_t c = 0; c < targets.channels.count; ++c) shares += targets.share(row, c);
      for (size_t c = 0; c < targets.channels.count; ++c) {
        const size_t i = targets.position(row, c);
        grad[i] = g * (std::exp(x[i] - lse[row]) * shares - targets.share(row, c));
      }
    }
    call.write(0, grad);
  });
}

}  // namespace oncilla::reference
