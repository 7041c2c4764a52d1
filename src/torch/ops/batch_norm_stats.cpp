// The first half of a batch normalisation that is done in steps: the statistics of a batch, and the running ones.
#include "torch/kernel.hpp"

#include <ATen/ops/batch_norm_update_stats_ops.h>
#include <ATen/ops/var_mean.h>

#include "torch/arguments.hpp"

namespace oncilla::adapter {
namespace {

// Mean and biased variance of each channel; the running variance is the unbiased one.
std::tuple<at::Tensor, at::Tensor> update_stats(const at::Tensor& self, const Maybe& running_mean, const Maybe& running_var,
                                                double momentum) {
  need_floating(self, "batch norm");
  TORCH_CHECK(self.dim() >= 2, "batch norm expects an input of two dims or more, not ", self.dim());
  std::vector<int64_t> all_but_channels{0};
  for (int64_t d = 2; d < self.dim(); ++d) all_but_channels.push_back(d);
  const int64_t n = self.size(1) == 0 ? 0 : self.numel() / self.size(1);
  const auto [var, mean] = at::var_mean(self, all_but_channels, at::Scalar(0));
  if (running_mean && running_mean->defined()) running_mean->lerp_(mean.to(running_mean->scalar_type()), momentum);
  if (running_var && running_var->defined()) {
    const double unbiased = static_cast<double>(n) / static_cast<double>(n - 1);
    running_var->lerp_(var.mul(unbiased).to(running_var->scalar_type()), momentum);
  }
  return {mean, var};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) { kernel<at::_ops::batch_norm_update_stats, update_stats>(m); }

}  // namespace oncilla::adapter
