// MAX_POOL: the first of equals; a NaN before all numbers, the last one where there are several, as PyTorch has it.
#include <cmath>
#include <limits>

#include "ops/ops.hpp"
#include "window.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_max_pool(kit::OpDesc desc) {
  const Window window = pool_window(desc.attributes<onc_pool_attrs>(), desc.input(0).dims, desc.output(0).dims);
  const auto flops = static_cast<uint64_t>(desc.output(0).numel() * window.kernel[0] * window.kernel[1]);
  return make_plan(std::move(desc), flops, [window](const Call& call) {
    const std::vector<double> x = call.read(0);
    const kit::Dims& dims = call.desc().input(0).dims;
    std::vector<double> y;
    std::vector<int64_t> index;
    for (int64_t plane = 0; plane < dims[0] * dims[1]; ++plane) {
      const double* values = x.data() + plane * window.in[0] * window.in[1];
      for (int64_t p = 0; p < window.out[0]; ++p) {
        for (int64_t q = 0; q < window.out[1]; ++q) {
          double best = -std::numeric_limits<double>::infinity();
          int64_t at = -1;  // stays where no tap lies inside the input
          window.taps(p, q, [&](int64_t, int64_t, int64_t h, int64_t w) {
            const double value = values[h * window.in[1] + w];
            if (at < 0 || value > best || std::isnan(value)) {
              best = value;
              at = h * window.in[1] + w;
            }
          });
          y.push_back(best);
          index.push_back(at);
        }
      }
    }
    call.write(0, y);
    call.write_int(1, index);
  });
}

}  // namespace oncilla::reference
