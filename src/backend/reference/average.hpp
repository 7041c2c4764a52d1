// What an average pooling divides by, and its two directions.
#pragma once

#include <algorithm>

#include "window.hpp"

namespace oncilla::reference {

// The divisor of output (p, q): the override, or the window clipped to the padded input, or to the input.
inline double average_divisor(const onc_pool_attrs& attrs, const Window& window, int64_t p, int64_t q) {
  if (attrs.divisor_override != 0) return static_cast<double>(attrs.divisor_override);
  int64_t count = 1;
  const int64_t at[2] = {p, q};
  for (int d = 0; d < 2; ++d) {
    const int64_t margin = attrs.count_include_pad ? window.pad[d] : 0;
    int64_t inside = 0;
    for (int64_t r = 0; r < window.kernel[d]; ++r) {
      const int64_t x = at[d] * window.stride[d] - window.pad[d] + r * window.dilation[d];
      inside += x >= -margin && x < window.in[d] + margin;
    }
    count *= inside;
  }
  return static_cast<double>(count);
}

// Calls term(x, y, 1 / divisor) with flat positions for every input element of every window.
template <class Term>
void average_terms(const onc_pool_attrs& attrs, const Window& window, int64_t planes, Term&& term) {
  for (int64_t plane = 0, y = 0; plane < planes; ++plane) {
    for (int64_t p = 0; p < window.out[0]; ++p) {
      for (int64_t q = 0; q < window.out[1]; ++q, ++y) {
        const double divisor = average_divisor(attrs, window, p, q);
        window.taps(p, q, [&](int64_t, int64_t, int64_t h, int64_t w) {
          term(static_cast<size_t>((plane * window.in[0] + h) * window.in[1] + w), static_cast<size_t>(y), 1 / divisor);
        });
      }
    }
  }
}

}  // namespace oncilla::reference
