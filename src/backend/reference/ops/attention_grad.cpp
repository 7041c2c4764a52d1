// ATTENTION_GRAD: of the softmax's definition, from weights computed anew; lse is not needed. y is taken as it was stored, rounded
// for halves.
#include "attention.hpp"

#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_attention_grad(kit::OpDesc desc) {
  const kit::Tensor &q = desc.input(1), &v = desc.input(3);
  const auto flops = static_cast<uint64_t>(2 * q.dims[0] * q.dims[1] * q.dims[2] * v.dims[2] * (3 * q.dims[3] + 2 * v.dims[3]));
  return make_plan(std::move(desc), flops, [](const Call& call) {
    const Attention a(call, 1);
    const std::vector<double> grad_out = call.read(0), y = call.read(5);
    std::vector<double> grad_q(a.q.size(), 0.0), grad_k(a.k.size(), 0.0), grad_v(a.v.size(), 0.0);
    const auto size = static_cast<size_t>(a.size), value_size = static_cast<size_t>(a.value_size);
    for (int64_t row = 0; row < a.batch * a.heads * a.length; ++row) {
      const int64_t i = row % a.length, h = row / a.length % a.heads, b = row / a.length / a.heads;
      const Attention::Row weights = a.row(b, h, i);
      std::vector<double> grad_softmax(static_cast<size_t>(a.keys), 0.0);
      double mean = 0;  // of the gradient under the softmax: sum of w grad_out . v
      for (size_t d = 0; d < value_size; ++d) mean += grad_out[a.result(b, h, i) + d] * y[a.result(b, h, i) + d];
      for (size_t j = 0; j < grad_softmax.size(); ++j) {
        if (weights.softmax[j] == 0) continue;
        for (size_t d = 0; d < value_size; ++d) {
          const size_t at = a.value(b, h, static_cast<int64_t>(j)) + d;
          const double g = grad_out[a.result(b, h, i) + d];
          if (weights.kept[j] != 0) grad_softmax[j] += weights.kept[j] * g * a.v[at];
          grad_v[at] += weights.weight[j] * g;
        }
      }
      for (size_t j = 0; j < grad_softmax.size(); ++j) {
        if (weights.softmax[j] == 0) continue;
        const double grad_score = a.scale * weights.softmax[j] * (grad_softmax[j] - mean);
        for (size_t e = 0; e < size; ++e) {
          const size_t of_query = a.query(b, h, i) + e, of_key = a.key(b, h, static_cast<int64_t>(j)) + e;
          grad_q[of_query] += grad_score * a.k[of_key];
          grad_k[of_key] += grad_score * a.q[of_query];
        }
      }
    }
    call.write(0, grad_q);
    call.write(1, grad_k);
    call.write(2, grad_v);
  });
}

}  // namespace oncilla::reference
