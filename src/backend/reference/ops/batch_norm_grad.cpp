// BATCH_NORM_GRAD. With xhat = (x - mean) * invstd, in training mode mean and variance depend on x as well:
//   grad_in = weight * invstd * (g - mean(g) - xhat * mean(g * xhat)).
#include "channels.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_batch_norm_grad(kit::OpDesc desc) {
  const bool training = desc.attributes<onc_batch_norm_grad_attrs>().training != 0;
  const auto flops = static_cast<uint64_t>(desc.input(0).numel() * 10);
  return make_plan(std::move(desc), flops, [training](const Call& call) {
    const Channels channels(call.desc().input(1).dims);
    const std::vector<double> g = call.read(0), x = call.read(1), weight = call.read(2), mean = call.read(3), invstd = call.read(4);
    std::vector<double> grad_x(x.size()), grad_weight, grad_bias;
    for (size_t c = 0; c < channels.count; ++c) {
      const auto xhat = [&](size_t i) { return (x[i] - mean[c]) * invstd[c]; };
      const double m = static_cast<double>(channels.elements), scale = (weight.empty() ? 1 : weight[c]) * invstd[c];
      double sum = 0, dot = 0;
      channels.each(c, [&](size_t i) {
        sum += g[i];
        dot += g[i] * xhat(i);
      });
      channels.each(c, [&](size_t i) { grad_x[i] = scale * (training ? g[i] - sum / m - xhat(i) * dot / m : g[i]); });
      grad_weight.push_back(dot);
      grad_bias.push_back(sum);
    }
    call.write(0, grad_x);
    call.write(1, grad_weight);
    call.write(2, grad_bias);
  });
}

}  // namespace oncilla::reference
