// ATTENTION: row by row, with all its weights.
#include "attention.hpp"

#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_attention(kit::OpDesc desc) {
  const kit::Tensor &q = desc.input(0), &v = desc.input(2);
  const auto flops = static_cast<uint64_t>(2 * q.dims[0] * q.dims[1] * q.dims[2] * v.dims[2] * (q.dims[3] + v.dims[3]));
  return make_plan(std::move(desc), flops, [](const Call& call) {
    const Attention a(call, 0);
    std::vector<double> y(static_cast<size_t>(call.desc().output(0).numel()), 0.0), lse;
    for (int64_t row = 0; row < a.batch * a.heads * a.length; ++row) {
      const int64_t i = row % a.length, h = row / a.length % a.heads, b = row / a.length / a.heads;
      const Attention::Row weights = a.row(b, h, i);
      lse.push_back(weights.lse);
      for (int64_t j = 0; j < a.keys; ++j) {
        const double weight = weights.weight[static_cast<size_t>(j)];
        if (weight == 0) continue;  // hidden or dropped
        for (size_t d = 0; d < static_cast<size_t>(a.value_size); ++d)
          y[a.result(b, h, i) + d] += weight * a.v[a.value(b, h, j) + d];
      }
    }
    call.write(0, y);
    call.write(1, lse);
  });
}

}  // namespace oncilla::reference
