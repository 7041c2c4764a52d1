// CTC_LOSS_GRAD: exp(log_prob) less the share of all paths that pass through the class at that step (Graves et al. 2006, equation
// 16). It takes its alpha from a forward of its own, in double.
#include <algorithm>

#include "ctc.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_ctc_loss_grad(kit::OpDesc desc) {
  const bool zero_infinity = desc.attributes<onc_ctc_attrs>().zero_infinity != 0;
  const auto flops = static_cast<uint64_t>(desc.input(6).numel() * 16 + desc.output(0).numel() * 4);
  return make_plan(std::move(desc), flops, [zero_infinity](const Call& call) {
    const CtcSamples ctc(call, 1);
    const std::vector<double> grad_loss = call.read(0);
    std::vector<double> grad(ctc.log_prob.size(), 0.0);
    for (int64_t n = 0; n < ctc.batch; ++n) {
      const auto d = [&](int64_t t, int64_t c) -> double& {
        return grad[static_cast<size_t>((t * ctc.batch + n) * ctc.classes + c)];
      };
      const auto table = [&](std::vector<double>& values) {
        return [&](int64_t t, int64_t s) -> double& { return values[static_cast<size_t>(t * ctc.width + s)]; };
      };
      std::vector<double> alphas(static_cast<size_t>(ctc.steps * ctc.width), -kInfinity), betas = alphas;
      const auto alpha = table(alphas), beta = table(betas);
      const bool valid = ctc.valid(n);
      const double loss = valid ? ctc.forward(n, alpha) : kNan, g = grad_loss[static_cast<size_t>(n)];
      if (loss == kInfinity && zero_infinity) continue;
      if (valid) ctc.backward(n, beta);
      const int64_t end = valid ? ctc.input(n) : ctc.steps;
      for (int64_t t = 0; t < end; ++t) {
        for (int64_t c = 0; c < ctc.classes; ++c) d(t, c) = std::isfinite(loss) ? g * std::exp(ctc.lp(t, n, c)) : kNan;
        for (int64_t s = 0; valid && s <= 2 * ctc.length(n); ++s) {
          const int64_t c = ctc.symbol(n, s);
          const double both = alpha(t, s) + beta(t, s);
          if (both != -kInfinity) d(t, c) -= g * std::exp(both + loss - ctc.lp(t, n, c));
        }
      }
    }
    call.write(0, grad);
  });
}

}  // namespace oncilla::reference
