// MAX_POOL.
#include "maximum.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_max_pool(kit::OpDesc desc) {
  const Window window = pool_window(desc.attributes<onc_pool_attrs>(), desc.input(0).dims, desc.output(0).dims);
  const auto flops = static_cast<uint64_t>(desc.output(0).numel() * volume(window.kernel));
  return make_plan(std::move(desc), flops, [window](const Call& call) {
    pool_maxima(call, window.in, window.out, [&](int64_t, const Place& output, auto&& take) {
      window.taps(output, [&](int64_t, int64_t position) { take(position); });
    });
  });
}

}  // namespace oncilla::reference
