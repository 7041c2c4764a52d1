// Walking a dense tensor [N, C, ...] by channel or by row along dim 1, and the class index of losses.
#pragma once

#include <cstddef>

#include "plan.hpp"

namespace oncilla::reference {

struct Channels {
  size_t batch, count, inner;
  size_t elements;  // of one channel

  explicit Channels(const kit::Dims& dims)
      : batch(static_cast<size_t>(dims[0])),
        count(static_cast<size_t>(dims[1])),
        inner(static_cast<size_t>(product(dims, 2, dims.size()))),
        elements(batch * inner) {}

  size_t position(size_t n, size_t c, size_t i) const { return (n * count + c) * inner + i; }

  // Calls fn with the flat position of every element of channel c.
  template <class Fn>
  void each(size_t c, Fn&& fn) const {
    for (size_t n = 0; n < batch; ++n) {
      for (size_t i = 0; i < inner; ++i) fn(position(n, c, i));
    }
  }
};

}  // namespace oncilla::reference
