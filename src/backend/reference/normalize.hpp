// Slices of dense tensors, each with a mean of its own, and the bodies of the normalisations over them.
#pragma once

#include <cmath>
#include <limits>

#include "plan.hpp"

namespace oncilla::reference {

// Slice s holds elements s * elements … in row-major order; element e of it has weight weight_of(s, e).
struct SliceShape {
  size_t slices, elements;
  size_t weights;             // how many
  size_t groups = 1;          // GROUP_NORM: slices of a sample
  size_t elements_of_weight;  // neighbours of a slice that share a weight

  size_t weight_of(size_t s, size_t e) const { return s % groups * (weights / groups) + e / elements_of_weight; }
};

inline SliceShape layer_slices(const kit::OpDesc& desc, const kit::Dims& x) {
  const size_t first = x.size() - desc.attributes<onc_layer_norm_attrs>().normalized_rank;
  const auto elements = static_cast<size_t>(product(x, first, x.size()));
  return {.slices = static_cast<size_t>(product(x, 0, first)), .elements = elements, .weights = elements, .elements_of_weight = 1};
}

inline SliceShape group_slices(const kit::OpDesc& desc, const kit::Dims& x) {
  const size_t groups = desc.attributes<onc_group_norm_attrs>().groups, channels = static_cast<size_t>(x[1]),
               inner = static_cast<size_t>(product(x, 2, x.size()));
  return {.slices = static_cast<size_t>(x[0]) * groups,
          .elements = channels / groups * inner,
          .weights = channels,
          .groups = groups,
          .elements_of_weight = inner};
}

// Mean, and the sum of squared deviations from it, of n values; a value that is not finite makes both NaN.
struct MeanAndSquares {
  double mean = 0, squares = 0;
  MeanAndSquares(const double* x, size_t n) {
    for (size_t i = 0; i < n; ++i) mean += x[i];
    mean /= static_cast<double>(n);
    for (size_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
    if (std::isnan(squares)) mean = std::numeric_limits<double>::quiet_NaN();
  }
};

inline void normalize(const Call& call, const SliceShape& shape, bool rms) {
  const std::vector<double> x = call.read(0), weight = call.read(1), bias = call.read(2);
  const double eps = call.scalar(0), n = static_cast<double>(shape.elements);
  std::vector<double> y(x.size()), means, invstds;
  for (size_t s = 0; s < shape.slices; ++s) {
    const double* slice = x.data() + s * shape.elements;
    double mean = 0, variance = 0;
    if (rms) {
      for (size_t e = 0; e < shape.elements; ++e) variance += slice[e] * slice[e] / n;
    } else {
      const MeanAndSquares moments(slice, shape.elements);
      mean = moments.mean;
      variance = moments.squares / n;
    }
    means.push_back(mean);
    invstds.push_back(1 / std::sqrt(variance + eps));
    for (size_t e = 0; e < shape.elements; ++e) {
      const size_t w = shape.weight_of(s, e);
      y[s * shape.elements + e] = (slice[e] - mean) * invstds[s] * (weight.empty() ? 1 : weight[w]) + (bias.empty() ? 0 : bias[w]);
    }
  }
  call.write(0, y);
  call.write(1, means);
  call.write(2, invstds);
}

// With xhat = (x - mean) * invstd and gw = g * weight, mean and invstd being functions of x:
//   grad_in = invstd * (gw - mean(gw) - xhat * mean(gw * xhat)); without a mean to take off (rms) mean(gw) is left out.
inline void normalize_grad(const Call& call, const SliceShape& shape, bool rms) {
  const std::vector<double> g = call.read(0), x = call.read(1), weight = call.read(2), mean = call.read(3), invstd = call.read(4);
  const double n = static_cast<double>(shape.elements);
  std::vector<double> grad(x.size()), grad_weight(shape.weights, 0.0), grad_bias(shape.weights, 0.0);
  for (size_t s = 0; s < shape.slices; ++s) {
    const auto xhat = [&](size_t i) { return (x[i] - (rms ? 0 : mean[s])) * invstd[s]; };
    double sum = 0, dot = 0;
    for (size_t e = 0; e < shape.elements; ++e) {
      const size_t i = s * shape.elements + e, w = shape.weight_of(s, e);
      const double gw = g[i] * (weight.empty() ? 1 : weight[w]);
      sum += gw;
      dot += gw * xhat(i);
      grad_weight[w] += g[i] * xhat(i);
      grad_bias[w] += g[i];
    }
    for (size_t e = 0; e < shape.elements; ++e) {
      const size_t i = s * shape.elements + e;
      const double gw = g[i] * (weight.empty() ? 1 : weight[shape.weight_of(s, e)]);
      grad[i] = invstd[s] * (gw - (rms ? 0 : sum / n) - xhat(i) * dot / n);
    }
  }
  call.write(0, grad);
  call.write(1, grad_weight);
  call.write(2, grad_bias);
}

}  // namespace oncilla::reference
