// SCAN: running totals of each row, in double or int64.
#include <cmath>
#include <limits>

#include "ops/ops.hpp"
#include "rows.hpp"

namespace oncilla::reference {
namespace {

int64_t wrapping(int64_t a, int64_t b, bool product) {
  const auto x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
  return static_cast<int64_t>(product ? x * y : x + y);
}

double log_add(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  const double high = std::max(a, b), low = std::min(a, b);
  return std::isinf(high) || std::isinf(low) ? high : high + std::log1p(std::exp(low - high));
}

// Whether v takes the place of the extreme so far: the last of equals, and NaN from then on.
bool replaces(uint32_t kind, bool floating, const Number& v, const Number& top) {
  if (!floating) return kind == ONC_SCAN_MIN ? v.i <= top.i : v.i >= top.i;
  if (std::isnan(v.f)) return true;
  return kind == ONC_SCAN_MIN ? v.f <= top.f : v.f >= top.f;
}

Number add_up(uint32_t kind, const Number& a, const Number& b) {
  if (kind == ONC_SCAN_LOGSUMEXP) return {.f = log_add(a.f, b.f)};
  const bool product = kind == ONC_SCAN_PROD;
  return {product ? a.f * b.f : a.f + b.f, wrapping(a.i, b.i, product)};
}

}  // namespace

std::unique_ptr<onc_plan> make_scan(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_scan_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(0).numel());
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const kit::Tensor& in = call.desc().input(0);
    const bool floating = is_float(in.dtype), extreme = attrs.kind == ONC_SCAN_MIN || attrs.kind == ONC_SCAN_MAX;
    const Rows rows(in.dims, attrs.axis);
    const std::vector<Number> x = call.read_numbers(0);
    std::vector<Number> y(x.size());
    std::vector<int64_t> index(x.size());
    for (int64_t row = 0; row < rows.count; ++row) {
      Number total = {attrs.kind == ONC_SCAN_PROD ? 1.0 : 0.0, attrs.kind == ONC_SCAN_PROD};
      int64_t best = 0;
      for (int64_t step = 0; step < rows.length; ++step) {
        const int64_t j = attrs.reverse ? rows.length - 1 - step : step;
        const auto at = rows.position(row, j);
        if (attrs.exclusive) y[at] = total;
        if (extreme) {
          if (step == 0 || replaces(attrs.kind, floating, x[at], total)) {
            total = x[at];
            best = j;
          }
          index[at] = best;
        } else {
          total = step == 0 ? x[at] : add_up(attrs.kind, total, x[at]);
        }
        if (!attrs.exclusive) y[at] = total;
      }
    }
    call.write_numbers(0, y);
    call.write_int(1, index);
  });
}

}  // namespace oncilla::reference
