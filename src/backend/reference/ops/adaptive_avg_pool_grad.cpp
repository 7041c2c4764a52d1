// ADAPTIVE_AVG_POOL_GRAD.
#include "ops/ops.hpp"
#include "region.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_adaptive_avg_pool_grad(kit::OpDesc desc) {
  const kit::Dims& dims = desc.output(0).dims;
  const Adaptive windows{spatial_sizes(dims), spatial_sizes(desc.input(0).dims)};
  const int64_t planes = dims[0] * dims[1];
  const auto flops = static_cast<uint64_t>(desc.output(0).numel());
  return make_plan(std::move(desc), flops, [windows, planes](const Call& call) {
    const std::vector<double> grad_y = call.read(0);
    std::vector<double> grad_x(static_cast<size_t>(call.desc().output(0).numel()), 0.0);
    windows.terms(planes, [&](size_t xi, size_t yi, double weight) { grad_x[xi] += grad_y[yi] * weight; });
    call.write(0, grad_x);
  });
}

}  // namespace oncilla::reference
