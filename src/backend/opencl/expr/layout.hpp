// The index space of a tape cut down to what a kernel must walk: size-1 dims dropped, neighbours joined where every operand allows
// it.
#pragma once

#include <cstdint>
#include <vector>

#include "kit/desc.hpp"

namespace oncilla::ocl {

// One operand's steps through the space, in elements: outermost dim first.
using Strides = kit::Dims;

// dims and each strides[o] hold the kept dims, then the reduced ones; `reduced` counts the latter.
struct Layout {
  kit::Dims dims;
  std::vector<Strides> strides;
  size_t reduced = 0;

  size_t kept() const { return dims.size() - reduced; }
  int64_t kept_numel() const;
  int64_t reduced_numel() const;
};

// What may be reordered. Kept dims always may: COORD and PHILOX are operands too, whose strides turn the new order back into
// coordinates. Reduced dims may unless a reduction reports a position, of which the first must be found first.
struct Order {
  size_t lead = 0;  // the operand whose memory order the dims should follow
  bool reduced_free = true;
};

Layout collapse(const kit::Dims& dims, size_t reduced, std::vector<Strides> strides, const Order& order);

// The largest element offset that an operand reaches.
int64_t reach(const kit::Dims& dims, const Strides& strides);

}  // namespace oncilla::ocl
