// PAD: constant, reflected, replicated or circular, and cut off where a margin is negative.
#include "ops/ops.hpp"
#include "padding.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_pad(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_pad_attrs>();
  return make_plan(std::move(desc), 0, [attrs](const Call& call) {
    const kit::Tensor &in = call.desc().input(0), &out = call.desc().output(0);
    const std::vector<Number> x = call.read_numbers(0);
    Number constant;
    if (is_float(out.dtype)) {
      constant.f = call.scalars()[0].f;
    } else {
      constant.i = call.scalars()[0].i;
    }
    std::vector<Number> y(static_cast<size_t>(out.numel()));
    padding_terms(attrs, in.dims, out.dims,
                  [&](int64_t xi, int64_t yi) { y[static_cast<size_t>(yi)] = xi < 0 ? constant : x[static_cast<size_t>(xi)]; });
    call.write_numbers(0, y);
  });
}

}  // namespace oncilla::reference
