// Linear ops that treat the spatial dims of [N, C, ...] one by one: along each, an output is a weighted sum of a few inputs, and
// the weights multiply. Average pooling, resampling and their gradients are such ops. The sums are tables, computed on the host
// with the plan; one kernel, kernels/taps.cl, serves all of them, and a gradient is the forward with its tables transposed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "kit/backend.hpp"
#include "runtime/device.hpp"

namespace oncilla::ocl {

// One spatial dim: output o sums weight[e] * x[at[e]] over e = begin[o] ... begin[o + 1] - 1.
struct AxisTaps {
  std::vector<int32_t> begin{0}, at;
  std::vector<double> weight;

  void add(int64_t position, double w) {
    at.push_back(static_cast<int32_t>(position));
    weight.push_back(w);
  }
  void end_output() { begin.push_back(static_cast<int32_t>(at.size())); }
  int64_t outputs() const { return static_cast<int64_t>(begin.size()) - 1; }
  // For each of `inputs` positions the outputs that read it, in ascending order.
  AxisTaps transposed(int64_t inputs) const;
};

// Depth, height and width; a dim that the op lacks has one output that reads position 0.
using Taps = std::array<AxisTaps, 3>;
AxisTaps one_tap();

// Declines tables of more terms than this machine should hold; called before one is made.
void support_terms(const kit::OpDesc& desc, int64_t terms);

// Averages over floor(i * in / out) ... ceil((i + 1) * in / out).
AxisTaps adaptive_taps(int64_t in, int64_t out);
// Averages over windows; PyTorch's rule: with count_include_pad a window counts the positions up to the end of the right padding,
// else those inside the input. divisor: what replaces the count, or 0.
struct PoolAxis {
  int64_t kernel, stride, pad;
  bool include_pad;
  double divisor;
};
AxisTaps average_taps(int64_t in, int64_t out, const PoolAxis& window);

// y = x through taps, x and y being input 0 and output 0 of the descriptor. Variants: "rows" and "direct".
std::unique_ptr<onc_plan> make_taps_plan(Device& device, kit::OpDesc desc, const Taps& taps);

}  // namespace oncilla::ocl
