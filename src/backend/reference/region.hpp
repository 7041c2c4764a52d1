// Pooling windows whose sizes or places differ from output to output.
#pragma once

#include "window.hpp"

namespace oncilla::reference {

// Sizes of the spatial dims of [N, C, ...], padded in front with 1.
inline Place spatial_sizes(const kit::Dims& dims) {
  Place size{1, 1, 1};
  for (size_t d = 2; d < dims.size(); ++d) size[d + 3 - dims.size()] = dims[d];
  return size;
}

// Calls visit(flat position) for all positions of the box begin ... end-1 inside `in`, in order.
template <class Visit>
void box(const Place& begin, const Place& end, const Place& in, Visit&& visit) {
  for (int64_t d = begin[0]; d < end[0]; ++d) {
    for (int64_t h = begin[1]; h < end[1]; ++h) {
      for (int64_t w = begin[2]; w < end[2]; ++w) visit((d * in[1] + h) * in[2] + w);
    }
  }
}

// The window of an adaptive pooling: floor(i * in / out) ... ceil((i + 1) * in / out).
struct Adaptive {
  Place in, out;
  Place begin(const Place& i) const {
    Place at;
    for (size_t d = 0; d < 3; ++d) at[d] = i[d] * in[d] / out[d];
    return at;
  }
  Place end(const Place& i) const {
    Place at;
    for (size_t d = 0; d < 3; ++d) at[d] = ((i[d] + 1) * in[d] + out[d] - 1) / out[d];
    return at;
  }
  // Calls term(x, y, weight) with flat positions for every element of every window of so many planes: the average's terms.
  template <class Term>
  void terms(int64_t planes, Term&& term) const {
    Window all;
    all.out = out;
    int64_t y = 0;
    for (int64_t plane = 0; plane < planes; ++plane) {
      all.outputs([&](const Place& output) {
        const Place first = begin(output), last = end(output);
        const Place size{last[0] - first[0], last[1] - first[1], last[2] - first[2]};
        const double weight = 1.0 / static_cast<double>(volume(size));
        box(first, last, in, [&](int64_t x) { term(static_cast<size_t>(plane * volume(in) + x), static_cast<size_t>(y), weight); });
        ++y;
      });
    }
  }
};

}  // namespace oncilla::reference
