// PAD_GRAD: each element of x sums the gradients of the places that show it.
#include "ops/ops.hpp"
#include "padding.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_pad_grad(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_pad_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(0).numel());
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const kit::Tensor &out = call.desc().input(0), &in = call.desc().output(0);
    const std::vector<double> grad_y = call.read(0);
    std::vector<double> grad_x(static_cast<size_t>(in.numel()), 0.0);
    padding_terms(attrs, in.dims, out.dims, [&](int64_t xi, int64_t yi) {
      if (xi >= 0) grad_x[static_cast<size_t>(xi)] += grad_y[static_cast<size_t>(yi)];
    });
    call.write(0, grad_x);
  });
}

}  // namespace oncilla::reference
