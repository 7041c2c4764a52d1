// UPSAMPLE.
#include "ops/ops.hpp"
#include "resample.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_upsample(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_upsample_attrs>();
  const auto flops = static_cast<uint64_t>(desc.output(0).numel()) * 2 << attrs.spatial_rank;
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const kit::Tensor &in = call.desc().input(0), &out = call.desc().output(0);
    const std::vector<double> x = call.read(0);
    std::vector<double> y(static_cast<size_t>(out.numel()), 0.0);
    resampling_terms(attrs, in.dtype, spatial_sizes(in.dims), spatial_sizes(out.dims), in.dims[0] * in.dims[1],
                     [&](size_t xi, size_t yi, double weight) { y[yi] += x[xi] * weight; });
    call.write(0, y);
  });
}

}  // namespace oncilla::reference
