// FRACTIONAL_MAX_POOL: with u the sample of a plane and a spatial dim, a = (in - kernel) / (out - 1), window i begins at
// trunc((i + u) a) - trunc(u a), the last one at in - kernel. Computed in float32 where x is float32 or a half, as PyTorch does,
// since the truncation shows.
#include "maximum.hpp"
#include "ops/ops.hpp"
#include "region.hpp"

namespace oncilla::reference {
namespace {

template <class F>
int64_t window_begin(int64_t i, F sample, int64_t in, int64_t out, int64_t kernel) {
  if (i == out - 1) return in - kernel;
  const F step = static_cast<F>(in - kernel) / static_cast<F>(out - 1);
  return static_cast<int64_t>((static_cast<F>(i) + sample) * step) - static_cast<int64_t>(sample * step);
}

}  // namespace

std::unique_ptr<onc_plan> make_fractional_max_pool(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_fractional_pool_attrs>();
  const size_t rank = attrs.spatial_rank, skip = 3 - rank;
  Place kernel{1, 1, 1};
  for (size_t d = 0; d < rank; ++d) kernel[skip + d] = attrs.kernel[d];
  const Place in = spatial_sizes(desc.input(0).dims), out = spatial_sizes(desc.output(0).dims);
  const auto flops = static_cast<uint64_t>(desc.output(0).numel() * volume(kernel));
  return make_plan(std::move(desc), flops, [=](const Call& call) {
    const std::vector<double> samples = call.read(1);
    const bool wide = call.desc().input(0).dtype == ONC_F64;
    pool_maxima(call, in, out, [&](int64_t plane, const Place& output, auto&& take) {
      Place begin{}, end{1, 1, 1};
      for (size_t d = skip; d < 3; ++d) {
        // Two dims: the width's sample comes first. Three: depth, height, width.
        const size_t place = rank == 2 ? 2 - d : d;
        const double sample = samples[static_cast<size_t>(plane) * rank + place];
        begin[d] = wide ? window_begin(output[d], sample, in[d], out[d], kernel[d])
                        : window_begin(output[d], static_cast<float>(sample), in[d], out[d], kernel[d]);
        end[d] = begin[d] + kernel[d];
      }
      box(begin, end, in, take);
    });
  });
}

}  // namespace oncilla::reference
