// CONV_GRAD_INPUT: each term's product goes back to its input element.
#include "ops/ops.hpp"
#include "window.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_conv_grad_input(kit::OpDesc desc) {
  const Convolution conv(desc.attributes<onc_conv_attrs>(), desc.output(0).dims, desc.input(1).dims, desc.input(0).dims);
  return make_plan(std::move(desc), conv.flops, [conv](const Call& call) {
    const std::vector<double> grad_y = call.read(0), w = call.read(1);
    std::vector<double> grad_x(static_cast<size_t>(call.desc().output(0).numel()), 0.0);
    conv.terms([&](size_t xi, size_t wi, size_t yi) { grad_x[xi] += grad_y[yi] * w[wi]; });
    call.write(0, grad_x);
  });
}

}  // namespace oncilla::reference
