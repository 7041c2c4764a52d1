// ADAPTIVE_MAX_POOL.
#include "maximum.hpp"
#include "ops/ops.hpp"
#include "region.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_adaptive_max_pool(kit::OpDesc desc) {
  const Adaptive windows{spatial_sizes(desc.input(0).dims), spatial_sizes(desc.output(0).dims)};
  const auto flops = static_cast<uint64_t>(desc.input(0).numel());
  return make_plan(std::move(desc), flops, [windows](const Call& call) {
    pool_maxima(call, windows.in, windows.out, [&](int64_t, const Place& output, auto&& take) {
      box(windows.begin(output), windows.end(output), windows.in, take);
    });
  });
}

}  // namespace oncilla::reference
