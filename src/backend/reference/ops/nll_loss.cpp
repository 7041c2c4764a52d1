// NLL_LOSS.
#include "loss.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_nll_loss(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_loss_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(1).numel() * 2);
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const std::vector<double> log_prob = call.read(0);
    const Targets targets{Channels(call.desc().input(0).dims), call.read_int(1), call.read(2), attrs};
    call.write(0, targets.reduce([&](size_t row, size_t c) { return -log_prob[targets.position(row, c)]; }));
    call.write(1, {targets.total_weight()});
  });
}

}  // namespace oncilla::reference
