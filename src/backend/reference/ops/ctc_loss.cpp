// CTC_LOSS: the forward variable of Graves et al. 2006, section 4.1, in logarithms.
#include "ctc.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_ctc_loss(kit::OpDesc desc) {
  const auto flops = static_cast<uint64_t>(desc.output(1).numel() * 8);
  return make_plan(std::move(desc), flops, [](const Call& call) {
    const CtcSamples ctc(call, 0);
    std::vector<double> losses, log_alpha(static_cast<size_t>(ctc.batch * ctc.steps * ctc.width), -kInfinity);
    for (int64_t n = 0; n < ctc.batch; ++n) {
      const auto alpha = [&](int64_t t, int64_t s) -> double& {
        return log_alpha[static_cast<size_t>((n * ctc.steps + t) * ctc.width + s)];
      };
      losses.push_back(ctc.valid(n) ? ctc.forward(n, alpha) : kNan);
    }
    call.write(0, losses);
    call.write(1, log_alpha);
  });
}

}  // namespace oncilla::reference
