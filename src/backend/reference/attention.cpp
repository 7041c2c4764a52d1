#include "attention.hpp"

#include <cmath>
#include <limits>

#include "interpreter.hpp"

namespace oncilla::reference {

Attention::Attention(const Call& call, size_t first)
    : scale(call.scalar(0)), q(call.read(first)), k(call.read(first + 1)), v(call.read(first + 2)), call_(call) {
  const kit::OpDesc& desc = call.desc();
  const kit::Dims &of_q = desc.input(first).dims, &of_v = desc.input(first + 2).dims;
  batch = of_q[0], heads = of_q[1], length = of_q[2], size = of_q[3];
  groups = of_v[1], keys = of_v[2], value_size = of_v[3];
  const auto attrs = desc.attributes<onc_attention_attrs>();
  causal_ = attrs.causal != 0, dropout_ = attrs.dropout != 0;
  boolean_ = desc.has_in(first + 3) && desc.input(first + 3).dtype == ONC_BOOL;
  if (boolean_) {
    shown_ = call.read_int(first + 3);
  } else {
    added_ = call.read(first + 3);
  }
}

Attention::Row Attention::row(int64_t b, int64_t h, int64_t i) const {
  const auto n = static_cast<size_t>(keys);
  const auto first = static_cast<size_t>(((b * heads + h) * length + i) * keys);
  const double minus_infinity = -std::numeric_limits<double>::infinity();
  Row row{std::vector<double>(n, 0.0), std::vector<double>(n, 0.0), std::vector<double>(n, 1.0), minus_infinity};
  std::vector<double> score(n, minus_infinity);
  double top = minus_infinity, sum = 0;
  for (size_t j = 0; j < n; ++j) {
    const bool hidden = (causal_ && static_cast<int64_t>(j) > i) || (boolean_ && shown_[first + j] == 0);
    if (hidden) continue;
    double dot = 0;
    for (int64_t e = 0; e < size; ++e)
      dot += q[query(b, h, i) + static_cast<size_t>(e)] * k[key(b, h, static_cast<int64_t>(j)) + static_cast<size_t>(e)];
    score[j] = dot * scale + (added_.empty() ? 0.0 : added_[first + j]);
    top = std::max(top, score[j]);
  }
  if (std::isinf(top) && top < 0) top = 0;  // nothing to see, or nothing but NaN
  for (size_t j = 0; j < n; ++j) sum += row.softmax[j] = std::exp(score[j] - top);
  for (double& weight : row.softmax) weight = sum == 0 ? 0 : weight / sum;
  row.lse = top + std::log(sum);
  row.weight = row.softmax;
  for (size_t j = 0; dropout_ && j < n; ++j) {
    const double drop = call_.scalar(1);
    const uint64_t seed = static_cast<uint64_t>(call_.scalars()[2].i), offset = static_cast<uint64_t>(call_.scalars()[3].i);
    const bool keeps = philox(first + j, offset, seed, 0) >= std::ceil(drop * 0x1p32);
    row.kept[j] = keeps ? 1 / (1 - drop) : 0;
    row.weight[j] = keeps ? row.softmax[j] / (1 - drop) : 0;
  }
  return row;
}

}  // namespace oncilla::reference
