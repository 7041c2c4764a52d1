// SCATTER: one element after the other in the order of the index. A mean divides at the end, integers towards minus infinity.
#include <cmath>

#include "ops/ops.hpp"

namespace oncilla::reference {
namespace {

int64_t wrapping(int64_t a, int64_t b, bool product) {
  const auto x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
  return static_cast<int64_t>(product ? x * y : x + y);
}

// `seen` counts what was combined before, self included.
void combine(uint32_t reduce, bool floating, Number& to, const Number& from, int64_t seen) {
  if (seen == 0 || reduce == ONC_SCATTER_ASSIGN) {
    to = from;
  } else if (reduce == ONC_SCATTER_SUM || reduce == ONC_SCATTER_MEAN) {
    to = {to.f + from.f, wrapping(to.i, from.i, false)};
  } else if (reduce == ONC_SCATTER_PROD) {
    to = {to.f * from.f, wrapping(to.i, from.i, true)};
  } else if (floating) {
    if (std::isnan(to.f)) return;
    const bool better = reduce == ONC_SCATTER_MIN ? from.f < to.f : from.f > to.f;
    if (better || std::isnan(from.f)) to = from;
  } else if (reduce == ONC_SCATTER_MIN ? from.i < to.i : from.i > to.i) {
    to = from;
  }
}

Number divide(const Number& sum, int64_t count, uint32_t dtype) {
  const int64_t i = wrap_int(sum.i, dtype);
  return {sum.f / static_cast<double>(count), i / count - (i % count < 0 ? 1 : 0)};
}

}  // namespace

std::unique_ptr<onc_plan> make_scatter(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_scatter_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(2).numel());
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const kit::Tensor &out = call.desc().output(0), &places = call.desc().input(1);
    const bool floating = is_float(out.dtype);
    std::vector<Number> y = call.read_numbers(0);
    if (!call.desc().has_in(0)) y.resize(static_cast<size_t>(out.numel()));
    const std::vector<int64_t> index = call.read_int(1);
    const std::vector<Number> src = call.read_numbers(2);
    std::vector<int64_t> seen(y.size(), attrs.include_self);
    kit::Dims at(out.dims.size(), 0);
    for (size_t i = 0; i < src.size(); ++i) {
      int64_t element = 0;
      for (size_t d = 0; d < at.size(); ++d) element = element * out.dims[d] + (d == attrs.axis ? index[i] : at[d]);
      if (index[i] >= 0 && index[i] < out.dims[attrs.axis]) {
        const auto e = static_cast<size_t>(element);
        combine(attrs.reduce, floating, y[e], src[i], seen[e]);
        ++seen[e];
      }
      for (size_t d = at.size(); d-- > 0;) {  // the next index, last dim fastest
        if (++at[d] < places.dims[d]) break;
        at[d] = 0;
      }
    }
    for (size_t e = 0; e < y.size() && attrs.reduce == ONC_SCATTER_MEAN; ++e) {
      if (seen[e] > 1) y[e] = divide(y[e], seen[e], out.dtype);
    }
    call.write_numbers(0, y);
  });
}

}  // namespace oncilla::reference
