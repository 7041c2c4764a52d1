// Source positions are rounded as in PyTorch's CPU kernels, in float for float32 and the halves and in double for float64, so that
// nearest neighbours fall on the same elements.
#include "ops/resample_taps.hpp"

#include <algorithm>
#include <cmath>

namespace oncilla::ocl {
namespace {

// The four weights of Keys' cubic around position i + t, 0 <= t <= 1, of the elements i - 1 ... i + 2.
std::array<double, 4> cubic_weights(double t, double a) {
  const auto near = [a](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
  const auto far = [a](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  return {far(t + 1), near(t), near(1 - t), far(2 - t)};
}

// The filter of antialiasing at a distance in steps of the coarser side.
double filter_weight(uint32_t mode, double distance) {
  const double d = std::fabs(distance);
  if (mode == ONC_INTERPOLATE_LINEAR) return d < 1 ? 1 - d : 0;
  constexpr double a = -0.5;
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}

template <class F>
F step_of(const onc_upsample_attrs& attrs, size_t dim, int64_t in, int64_t out) {
  if (attrs.align_corners != 0) return out > 1 ? static_cast<F>(in - 1) / static_cast<F>(out - 1) : F(0);
  return attrs.scale[dim] > 0 ? static_cast<F>(attrs.scale[dim]) : static_cast<F>(in) / static_cast<F>(out);
}

template <class F>
void add_filtered(AxisTaps& taps, uint32_t mode, F step, int64_t o, int64_t in) {
  const F reach = std::max(step, F(1)), support = (mode == ONC_INTERPOLATE_CUBIC ? F(2) : F(1)) * reach;
  const F center = step * (static_cast<F>(o) + F(0.5));
  const int64_t first = std::max<int64_t>(static_cast<int64_t>(center - support + F(0.5)), 0);
  const int64_t end = std::min<int64_t>(static_cast<int64_t>(center + support + F(0.5)), in);
  double total = 0;
  const size_t begin = taps.at.size();
  for (int64_t i = first; i < end; ++i) {
    const double w = filter_weight(mode, static_cast<double>((static_cast<F>(i) - center + F(0.5)) / reach));
    taps.add(i, w);
    total += w;
  }
  if (total == 0) return;
  for (size_t e = begin; e < taps.at.size(); ++e) taps.weight[e] /= total;
}

template <class F>
AxisTaps axis_taps(const onc_upsample_attrs& attrs, size_t dim, int64_t in, int64_t out) {
  const F step = step_of<F>(attrs, dim, in, out), half(0.5);
  const auto inside = [in](int64_t i) { return std::clamp<int64_t>(i, 0, in - 1); };
  AxisTaps taps;
  for (int64_t o = 0; o < out; ++o, taps.end_output()) {
    const F at = static_cast<F>(o);
    if (in == out && (attrs.antialias != 0 || attrs.mode == ONC_INTERPOLATE_LINEAR)) {  // whatever scale was given
      taps.add(o, 1);
      continue;
    }
    if (attrs.antialias != 0) {
      add_filtered(taps, attrs.mode, step, o, in);
      continue;
    }
    if (attrs.mode == ONC_INTERPOLATE_NEAREST || attrs.mode == ONC_INTERPOLATE_NEAREST_EXACT) {
      const F source = attrs.mode == ONC_INTERPOLATE_NEAREST ? at * step : (at + half) * step;
      taps.add(inside(static_cast<int64_t>(std::floor(source))), 1);
      continue;
    }
    F source = attrs.align_corners != 0 ? step * at : step * (at + half) - half;
    if (attrs.mode == ONC_INTERPOLATE_LINEAR) source = std::max(source, F(0));
    const int64_t i = std::min<int64_t>(static_cast<int64_t>(std::floor(source)), in - 1);
    const auto t = static_cast<double>(std::clamp(source - static_cast<F>(i), F(0), F(1)));
    if (attrs.mode == ONC_INTERPOLATE_LINEAR) {
      taps.add(i, 1 - t);
      taps.add(inside(i + 1), t);
    } else {
      const std::array<double, 4> weights = cubic_weights(t, -0.75);
      for (int64_t k = 0; k < 4; ++k) taps.add(inside(i - 1 + k), weights[static_cast<size_t>(k)]);
    }
  }
  return taps;
}

}  // namespace

Taps resample_taps(const kit::OpDesc& desc, const onc_upsample_attrs& attrs, uint32_t dtype, const kit::Dims& x,
                   const kit::Dims& y) {
  Taps taps{one_tap(), one_tap(), one_tap()};
  for (size_t d = 0; d < attrs.spatial_rank; ++d) {
    const int64_t in = x[2 + d], out = y[2 + d];
    support_terms(desc, 4 * (in + out));  // a filter as wide as its step reads each element up to four times
    taps[3 - attrs.spatial_rank + d] =
        dtype == ONC_F64 ? axis_taps<double>(attrs, d, in, out) : axis_taps<float>(attrs, d, in, out);
  }
  return taps;
}

}  // namespace oncilla::ocl
