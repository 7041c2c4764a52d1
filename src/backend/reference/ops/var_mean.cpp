// VAR_MEAN: of the last dims.
#include <algorithm>

#include "normalize.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_var_mean(kit::OpDesc desc) {
  const auto flops = static_cast<uint64_t>(desc.input(0).numel() * 4);
  return make_plan(std::move(desc), flops, [](const Call& call) {
    const kit::Dims& dims = call.desc().input(0).dims;
    const size_t leading = dims.size() - call.desc().attributes<onc_var_mean_attrs>().reduce_rank;
    const auto slices = static_cast<size_t>(product(dims, 0, leading)),
               n = static_cast<size_t>(product(dims, leading, dims.size()));
    const std::vector<double> x = call.read(0);
    std::vector<double> vars, means;
    for (size_t s = 0; s < slices; ++s) {
      const MeanAndSquares moments(x.data() + s * n, n);
      vars.push_back(n == 0 ? std::nan("") : moments.squares / std::max(0.0, static_cast<double>(n) - call.scalar(0)));
      means.push_back(moments.mean);
    }
    call.write(0, vars);
    call.write(1, means);
  });
}

}  // namespace oncilla::reference
