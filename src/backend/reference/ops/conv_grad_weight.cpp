// CONV_GRAD_WEIGHT: each term's product goes back to its weight.
#include "ops/ops.hpp"
#include "window.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_conv_grad_weight(kit::OpDesc desc) {
  const Convolution conv(desc.attributes<onc_conv_attrs>(), desc.input(1).dims, desc.output(0).dims, desc.input(0).dims);
  return make_plan(std::move(desc), conv.flops, [conv](const Call& call) {
    const std::vector<double> grad_y = call.read(0), x = call.read(1);
    std::vector<double> grad_w(static_cast<size_t>(call.desc().output(0).numel()), 0.0);
    conv.terms([&](size_t xi, size_t wi, size_t yi) { grad_w[wi] += grad_y[yi] * x[xi]; });
    call.write(0, grad_w);
  });
}

}  // namespace oncilla::reference
