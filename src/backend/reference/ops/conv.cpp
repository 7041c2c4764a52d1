// CONV: the sum of its terms.
#include "epilogue.hpp"
#include "ops/ops.hpp"
#include "window.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_conv(kit::OpDesc desc) {
  const Convolution conv(desc.attributes<onc_conv_attrs>(), desc.input(0).dims, desc.input(1).dims, desc.output(0).dims);
  return make_plan(std::move(desc), conv.flops, [conv](const Call& call) {
    const std::vector<double> x = call.read(0), w = call.read(1), bias = call.read(2);
    std::vector<double> y(static_cast<size_t>(call.desc().output(0).numel()), 0.0);
    conv.terms([&](size_t xi, size_t wi, size_t yi) { y[yi] += x[xi] * w[wi]; });
    const auto plane = static_cast<size_t>(volume(conv.window.out));
    for (size_t i = 0; i < y.size() && !bias.empty(); ++i) y[i] += bias[i / plane % bias.size()];
    write_result(call, y, 0);
  });
}

}  // namespace oncilla::reference
