// AVG_POOL.
#include "average.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_avg_pool(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_pool_attrs>();
  const Window window = pool_window(attrs, desc.input(0).dims, desc.output(0).dims);
  const auto flops = static_cast<uint64_t>(desc.output(0).numel() * volume(window.kernel));
  return make_plan(std::move(desc), flops, [attrs, window](const Call& call) {
    const std::vector<double> x = call.read(0);
    const kit::Dims& dims = call.desc().input(0).dims;
    std::vector<double> y(static_cast<size_t>(call.desc().output(0).numel()), 0.0);
    average_terms(attrs, window, dims[0] * dims[1], [&](size_t xi, size_t yi, double weight) { y[yi] += x[xi] * weight; });
    call.write(0, y);
  });
}

}  // namespace oncilla::reference
