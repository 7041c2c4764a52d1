// GRID_SAMPLE.
#include "grid.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_grid_sample(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_grid_sample_attrs>();
  const auto flops = static_cast<uint64_t>(desc.output(0).numel()) * 8;
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const kit::Tensor &in = call.desc().input(0), &out = call.desc().output(0);
    const std::vector<double> x = call.read(0), grid = call.read(1);
    std::vector<double> y(static_cast<size_t>(out.numel()), 0.0);
    grid_terms(attrs, in, out.dims, grid, [&](int64_t xi, size_t yi, size_t, const GridTap* const taps[3]) {
      const double value = xi >= 0 ? x[static_cast<size_t>(xi)] : 0;
      y[yi] += value * taps[0]->weight * taps[1]->weight * taps[2]->weight;
    });
    call.write(0, y);
  });
}

}  // namespace oncilla::reference
