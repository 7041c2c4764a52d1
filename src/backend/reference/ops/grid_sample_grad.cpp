// GRID_SAMPLE_GRAD.
#include "grid.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_grid_sample_grad(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_grid_sample_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(0).numel()) * 24;
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const kit::Tensor &out = call.desc().input(0), &in = call.desc().input(1);
    const size_t rank = in.dims.size() - 2;
    const std::vector<double> grad_y = call.read(0), x = call.read(1), grid = call.read(2);
    std::vector<double> grad_x(x.size(), 0.0), grad_grid(grid.size(), 0.0);
    grid_terms(attrs, in, out.dims, grid, [&](int64_t xi, size_t yi, size_t at, const GridTap* const taps[3]) {
      if (xi >= 0) grad_x[static_cast<size_t>(xi)] += grad_y[yi] * taps[0]->weight * taps[1]->weight * taps[2]->weight;
      const double value = xi >= 0 ? x[static_cast<size_t>(xi)] : 0;
      for (size_t i = 0; i < rank; ++i) {  // coordinate i is that of dim 2 - i
        const size_t d = 2 - i, e = (d + 1) % 3, f = (d + 2) % 3;
        if (attrs.mode != ONC_INTERPOLATE_NEAREST)
          grad_grid[at + i] += grad_y[yi] * value * taps[d]->slope * taps[e]->weight * taps[f]->weight;
      }
    });
    call.write(0, grad_x);
    call.write(1, grad_grid);
  });
}

}  // namespace oncilla::reference
