// UPSAMPLE_GRAD.
#include "ops/ops.hpp"
#include "resample.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_upsample_grad(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_upsample_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(0).numel()) * 2 << attrs.spatial_rank;
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const kit::Tensor &out = call.desc().input(0), &in = call.desc().output(0);
    const std::vector<double> grad_y = call.read(0);
    std::vector<double> grad_x(static_cast<size_t>(in.numel()), 0.0);
    resampling_terms(attrs, in.dtype, spatial_sizes(in.dims), spatial_sizes(out.dims), in.dims[0] * in.dims[1],
                     [&](size_t xi, size_t yi, double weight) { grad_x[xi] += grad_y[yi] * weight; });
    call.write(0, grad_x);
  });
}

}  // namespace oncilla::reference
