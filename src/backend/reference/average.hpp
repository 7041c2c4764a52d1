// What an average pooling divides by, and its two directions.
#pragma once

#include <algorithm>

#include "window.hpp"

namespace oncilla::reference {

// The divisor of an output: the override, or the window clipped to the padded input, or to the input.
inline double average_divisor(const onc_pool_attrs& attrs, const Window& window, const Place& output) {
  if (attrs.divisor_override != 0) return static_cast<double>(attrs.divisor_override);
  int64_t count = 1;
  for (size_t d = 0; d < 3; ++d) {
    const int64_t margin = attrs.count_include_pad ? window.pad[d] : 0;
    int64_t inside = 0;
    for (int64_t r = 0; r < window.kernel[d]; ++r) {
      const int64_t x = output[d] * window.stride[d] - window.pad[d] + r * window.dilation[d];
      inside += x >= -margin && x < window.in[d] + margin;
    }
    count *= inside;
  }
  return static_cast<double>(count);
}

// Calls term(x, y, 1 / divisor) with flat positions for every input element of every window.
template <class Term>
void average_terms(const onc_pool_attrs& attrs, const Window& window, int64_t planes, Term&& term) {
  int64_t y = 0;
  for (int64_t plane = 0; plane < planes; ++plane) {
    window.outputs([&](const Place& output) {
      const double divisor = average_divisor(attrs, window, output);
      window.taps(output, [&](int64_t, int64_t at) {
        term(static_cast<size_t>(plane * volume(window.in) + at), static_cast<size_t>(y), 1 / divisor);
      });
      ++y;
    });
  }
}

}  // namespace oncilla::reference
