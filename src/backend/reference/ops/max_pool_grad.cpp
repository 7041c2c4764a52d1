// MAX_POOL_GRAD: every output's gradient goes to the input that its index names.
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_max_pool_grad(kit::OpDesc desc) {
  const auto flops = static_cast<uint64_t>(desc.input(0).numel());
  return make_plan(std::move(desc), flops, [](const Call& call) {
    const std::vector<double> grad_y = call.read(0);
    const std::vector<int64_t> index = call.read_int(1);
    const kit::Dims &out = call.desc().input(0).dims, &in = call.desc().output(0).dims;
    const auto out_plane = static_cast<size_t>(product(out, 2, out.size()));
    const int64_t in_plane = product(in, 2, in.size());
    std::vector<double> grad_x(static_cast<size_t>(call.desc().output(0).numel()), 0.0);
    for (size_t i = 0; i < grad_y.size(); ++i) {
      if (index[i] < 0 || index[i] >= in_plane) continue;  // no input was under the window
      grad_x[i / out_plane * static_cast<size_t>(in_plane) + static_cast<size_t>(index[i])] += grad_y[i];
    }
    call.write(0, grad_x);
  });
}

}  // namespace oncilla::reference
