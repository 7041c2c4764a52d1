// NLL_LOSS_GRAD: minus the row's gradient at its class, 0 elsewhere; a row without a valid class is NaN throughout.
#include "loss.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_nll_loss_grad(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_loss_attrs>();
  const auto flops = static_cast<uint64_t>(desc.output(0).numel());
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const std::vector<double> grad_loss = call.read(0), total = call.read(3);
    const Targets targets{Channels(call.desc().output(0).dims), call.read_int(1), call.read(2), attrs};
    std::vector<double> grad(static_cast<size_t>(call.desc().output(0).numel()), 0.0);
    for (size_t row = 0; row < targets.rows(); ++row) {
      const double g = targets.row_grad(row, grad_loss, total[0]) * (targets.valid(row) ? targets.weight_of(row) : 1);
      for (size_t c = 0; c < targets.channels.count; ++c) {
        const bool bad = !targets.ignored(row) && !targets.valid(row);
        if (bad || static_cast<int64_t>(c) == targets.target[row]) grad[targets.position(row, c)] = targets.ignored(row) ? 0 : -g;
      }
    }
    call.write(0, grad);
  });
}

}  // namespace oncilla::reference
