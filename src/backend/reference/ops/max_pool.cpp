// MAX_POOL: the first of equals; a NaN before all numbers, the last one where there are several, as PyTorch has it.
#include <cmath>
#include <limits>

#include "ops/ops.hpp"
#include "window.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_max_pool(kit::OpDesc desc) {
  const Window window = pool_window(desc.attributes<onc_pool_attrs>(), desc.input(0).dims, desc.output(0).dims);
  const auto flops = static_cast<uint64_t>(desc.output(0).numel() * volume(window.kernel));
  return make_plan(std::move(desc), flops, [window](const Call& call) {
    const std::vector<double> x = call.read(0);
    const kit::Dims& dims = call.desc().input(0).dims;
    std::vector<double> y;
    std::vector<int64_t> index;
    for (int64_t plane = 0; plane < dims[0] * dims[1]; ++plane) {
      const double* values = x.data() + plane * volume(window.in);
      window.outputs([&](const Place& output) {
        double best = -std::numeric_limits<double>::infinity();
        int64_t at = -1;  // stays where no tap lies inside the input
        window.taps(output, [&](int64_t, int64_t input) {
          if (at < 0 || values[input] > best || std::isnan(values[input])) {
            best = values[input];
            at = input;
          }
        });
        y.push_back(best);
        index.push_back(at);
      });
    }
    call.write(0, y);
    call.write_int(1, index);
  });
}

}  // namespace oncilla::reference
