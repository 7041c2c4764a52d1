// How UPSAMPLE reads its input: along one spatial dim an output is a weighted sum of inputs, and the dims multiply. The source
// positions are computed in F, float for float32 and the halves, double for float64, as PyTorch does: nearest neighbours depend on
// it.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "region.hpp"

namespace oncilla::reference {

struct Weighted {
  int64_t at;
  double weight;
};
using Sum = std::vector<Weighted>;

// Keys, "Cubic convolution interpolation for digital image processing", 1981: the weight at a distance.
inline double keys_cubic(double distance, double a) {
  const double x = std::fabs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

template <class F>
class Resampling {
 public:
  // given: input size over output size, or 0.
  Resampling(const onc_upsample_attrs& attrs, int64_t in, int64_t out, double given)
      : mode_(attrs.mode), align_(attrs.align_corners != 0), antialias_(attrs.antialias != 0), in_(in), out_(out) {
    if (align_) {
      scale_ = out > 1 ? static_cast<F>(in - 1) / static_cast<F>(out - 1) : F(0);
    } else {
      scale_ = given > 0 ? static_cast<F>(given) : static_cast<F>(in) / static_cast<F>(out);
    }
  }

  Sum inputs_of(int64_t o) const {
    // Linear and filtered resampling to the same size copies, whatever scale the user gave.
    if (in_ == out_ && (antialias_ || mode_ == ONC_INTERPOLATE_LINEAR)) return {{o, 1.0}};
    if (antialias_) return filtered(o);
    const F half(0.5);
    switch (mode_) {
      case ONC_INTERPOLATE_NEAREST:
        return {{clamp(std::floor(static_cast<F>(o) * scale_)), 1.0}};
      case ONC_INTERPOLATE_NEAREST_EXACT:
        return {{clamp(std::floor((static_cast<F>(o) + half) * scale_)), 1.0}};
      default:
        break;
    }
    F source = align_ ? static_cast<F>(o) * scale_ : scale_ * (static_cast<F>(o) + half) - half;
    if (mode_ == ONC_INTERPOLATE_LINEAR) {
      source = std::max(source, F(0));
      const int64_t first = clamp(std::floor(source));
      const double part = fraction(source, first);
      return {{first, 1 - part}, {std::min(first + 1, in_ - 1), part}};
    }
    const auto floor = static_cast<int64_t>(std::floor(source));
    const int64_t first = std::min(floor, in_ - 1);
    const double part = fraction(source, first);
    Sum sum;
    for (int64_t tap = -1; tap <= 2; ++tap)
      sum.push_back({std::clamp<int64_t>(first + tap, 0, in_ - 1), keys_cubic(static_cast<double>(tap) - part, -0.75)});
    return sum;
  }

 private:
  int64_t clamp(F position) const { return std::clamp<int64_t>(static_cast<int64_t>(position), 0, in_ - 1); }
  double fraction(F source, int64_t first) const {
    return static_cast<double>(std::clamp(source - static_cast<F>(first), F(0), F(1)));
  }

  // A triangle or a cubic around the output's center, as wide as the larger of an input and an output step, normalised.
  Sum filtered(int64_t o) const {
    const bool cubic = mode_ == ONC_INTERPOLATE_CUBIC;
    const F width = std::max(scale_, F(1)), support = F(cubic ? 2 : 1) * width, center = scale_ * (static_cast<F>(o) + F(0.5));
    const auto begin = std::max<int64_t>(static_cast<int64_t>(center - support + F(0.5)), 0);
    const auto end = std::min<int64_t>(static_cast<int64_t>(center + support + F(0.5)), in_);
    Sum sum;
    double total = 0;
    for (int64_t i = begin; i < end; ++i) {
      const double distance = static_cast<double>((static_cast<F>(i) - center + F(0.5)) / width);
      sum.push_back({i, cubic ? keys_cubic(distance, -0.5) : std::max(0.0, 1 - std::fabs(distance))});
      total += sum.back().weight;
    }
    for (Weighted& term : sum) term.weight /= total == 0 ? 1 : total;
    return sum;
  }

  uint32_t mode_;
  bool align_, antialias_;
  int64_t in_, out_;
  F scale_;
};

// Calls term(x, y, weight) with flat positions for all terms of all outputs of so many planes.
template <class Term>
void resampling_terms(const onc_upsample_attrs& attrs, uint32_t dtype, const Place& in, const Place& out, int64_t planes,
                      Term&& term) {
  std::vector<Sum> sums[3];
  for (size_t d = 0; d < 3; ++d) {
    const bool spatial = d + attrs.spatial_rank >= 3;
    const double given = spatial ? attrs.scale[d + attrs.spatial_rank - 3] : 0;
    for (int64_t o = 0; o < out[d]; ++o) {
      if (!spatial) {
        sums[d].push_back({{0, 1.0}});
      } else if (dtype == ONC_F64) {
        sums[d].push_back(Resampling<double>(attrs, in[d], out[d], given).inputs_of(o));
      } else {
        sums[d].push_back(Resampling<float>(attrs, in[d], out[d], given).inputs_of(o));
      }
    }
  }
  Window all;
  all.out = out;
  int64_t y = 0;
  for (int64_t plane = 0; plane < planes; ++plane) {
    all.outputs([&](const Place& output) {
      for (const Weighted& d : sums[0][static_cast<size_t>(output[0])]) {
        for (const Weighted& h : sums[1][static_cast<size_t>(output[1])]) {
          for (const Weighted& w : sums[2][static_cast<size_t>(output[2])]) {
            const int64_t x = ((plane * in[0] + d.at) * in[1] + h.at) * in[2] + w.at;
            term(static_cast<size_t>(x), static_cast<size_t>(y), d.weight * h.weight * w.weight);
          }
        }
      }
      ++y;
    });
  }
}

}  // namespace oncilla::reference
