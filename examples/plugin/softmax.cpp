// SOFTMAX and log-softmax of float32: each row three times, for its maximum, its sum and its result, so that no exponential
// overflows.
#include <cmath>
#include <limits>

#include "host.hpp"

namespace sample {
namespace {

void softmax_row(const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t n, bool log) {
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (int64_t i = 0; i < n; ++i) largest = std::fmax(largest, x[i * x_stride]);
  for (int64_t i = 0; i < n; ++i) sum += std::exp(x[i * x_stride] - largest);
  for (int64_t i = 0; i < n; ++i) {
    const double shifted = x[i * x_stride] - largest;
    y[i * y_stride] = static_cast<float>(log ? shifted - std::log(sum) : std::exp(shifted) / sum);
  }
}

void run_softmax(const Plan& plan, const kit::RunArgs& args) {
  const kit::Tensor &x = plan.desc.input(0), &y = plan.desc.output(0);
  if (x.numel() == 0) return;
  const auto attrs = plan.desc.attributes<onc_softmax_attrs>();
  // The rows begin where the index along the axis is 0.
  kit::Tensor x_rows = x, y_rows = y;
  x_rows.dims[attrs.axis] = y_rows.dims[attrs.axis] = 1;
  const std::vector<int64_t> from = offsets(x_rows), to = offsets(y_rows);
  const auto* src = reinterpret_cast<const float*>(address(args.args[0]));
  auto* dst = reinterpret_cast<float*>(address(args.args[1]));
  for (size_t row = 0; row < from.size(); ++row)
    softmax_row(src + from[row], x.strides[attrs.axis], dst + to[row], y.strides[attrs.axis], x.dims[attrs.axis], attrs.log != 0);
}

}  // namespace

std::unique_ptr<onc_plan> make_softmax(kit::OpDesc desc) {
  kit::support(desc.input(0).dtype == ONC_F32, "[softmax] the sample plugin has no ", kit::dtype_name(desc.input(0).dtype));
  return std::make_unique<Plan>(std::move(desc), 0, run_softmax);
}

}  // namespace sample
