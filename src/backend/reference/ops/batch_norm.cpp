// BATCH_NORM in training mode.
#include <cmath>

#include "channels.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_batch_norm(kit::OpDesc desc) {
  const auto flops = static_cast<uint64_t>(desc.input(0).numel() * 6);
  return make_plan(std::move(desc), flops, [](const Call& call) {
    const Channels channels(call.desc().input(0).dims);
    const double eps = call.scalar(0), momentum = call.scalar(1);
    const std::vector<double> x = call.read(0), weight = call.read(1), bias = call.read(2), running_mean = call.read(3),
                              running_var = call.read(4);
    std::vector<double> y(x.size()), means, invstds, new_means, new_vars;
    for (size_t c = 0; c < channels.count; ++c) {
      const double m = static_cast<double>(channels.elements);
      double sum = 0, squares = 0;
      channels.each(c, [&](size_t i) { sum += x[i]; });
      const double mean = sum / m;
      channels.each(c, [&](size_t i) { squares += (x[i] - mean) * (x[i] - mean); });
      const double invstd = 1 / std::sqrt(squares / m + eps);
      channels.each(
          c, [&](size_t i) { y[i] = (x[i] - mean) * invstd * (weight.empty() ? 1 : weight[c]) + (bias.empty() ? 0 : bias[c]); });
      means.push_back(mean);
      invstds.push_back(invstd);
      if (!running_mean.empty()) new_means.push_back((1 - momentum) * running_mean[c] + momentum * mean);
      if (!running_var.empty()) new_vars.push_back((1 - momentum) * running_var[c] + momentum * squares / (m - 1));
    }
    call.write(0, y);
    call.write(1, means);
    call.write(2, invstds);
    call.write(3, new_means);
    call.write(4, new_vars);
  });
}

}  // namespace oncilla::reference
