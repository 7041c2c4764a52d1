// ADAPTIVE_AVG_POOL.
#include "ops/ops.hpp"
#include "region.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_adaptive_avg_pool(kit::OpDesc desc) {
  const kit::Dims& dims = desc.input(0).dims;
  const Adaptive windows{spatial_sizes(dims), spatial_sizes(desc.output(0).dims)};
  const int64_t planes = dims[0] * dims[1];
  const auto flops = static_cast<uint64_t>(desc.input(0).numel());
  return make_plan(std::move(desc), flops, [windows, planes](const Call& call) {
    const std::vector<double> x = call.read(0);
    std::vector<double> y(static_cast<size_t>(call.desc().output(0).numel()), 0.0);
    windows.terms(planes, [&](size_t xi, size_t yi, double weight) { y[yi] += x[xi] * weight; });
    call.write(0, y);
  });
}

}  // namespace oncilla::reference
