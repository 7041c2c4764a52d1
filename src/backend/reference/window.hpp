// Sliding windows over one to three spatial dims: the one place that knows how stride, padding and dilation pick the inputs of an
// output. The convolutions and poolings, forward and backward, all walk it, so that a backward is the adjoint of its forward by
// construction.
#pragma once

#include <array>
#include <cstdint>

#include "kit/desc.hpp"

namespace oncilla::reference {

// A position or a size in depth, height and width.
using Place = std::array<int64_t, 3>;
inline int64_t volume(const Place& size) { return size[0] * size[1] * size[2]; }

// Fewer dims than three are padded in front: size, window, stride and dilation 1, no padding.
struct Window {
  Place kernel{1, 1, 1}, stride{1, 1, 1}, pad{}, dilation{1, 1, 1};
  Place in{1, 1, 1}, out{1, 1, 1};

  // Calls visit(place) for every output, in row-major order.
  template <class Visit>
  void outputs(Visit&& visit) const {
    Place at;
    for (at[0] = 0; at[0] < out[0]; ++at[0]) {
      for (at[1] = 0; at[1] < out[1]; ++at[1]) {
        for (at[2] = 0; at[2] < out[2]; ++at[2]) visit(at);
      }
    }
  }

  // Calls tap(position in the window, position in the input), both flat and row-major, for every tap of an output that lies inside
  // the input, in order.
  template <class Tap>
  void taps(const Place& output, Tap&& tap) const {
    Place r;
    for (r[0] = 0; r[0] < kernel[0]; ++r[0]) {
      for (r[1] = 0; r[1] < kernel[1]; ++r[1]) {
        for (r[2] = 0; r[2] < kernel[2]; ++r[2]) {
          int64_t at_window = 0, at_input = 0;
          bool inside = true;
          for (size_t d = 0; d < 3; ++d) {
            const int64_t x = output[d] * stride[d] - pad[d] + r[d] * dilation[d];
            inside = inside && x >= 0 && x < in[d];
            at_window = at_window * kernel[d] + r[d];
            at_input = at_input * in[d] + x;
          }
          if (inside) tap(at_window, at_input);
        }
      }
    }
  }
};

// in and out begin with two dims that are not spatial.
template <class Attributes>
Window make_window(const Attributes& attrs, const int64_t* kernel, const kit::Dims& in, const kit::Dims& out) {
  Window window;
  const size_t skip = 3 - attrs.spatial_rank;
  for (size_t d = 0; d < attrs.spatial_rank; ++d) {
    window.kernel[skip + d] = kernel[d];
    window.stride[skip + d] = attrs.stride[d];
    window.pad[skip + d] = attrs.pad[d];
    window.dilation[skip + d] = attrs.dilation[d];
    window.in[skip + d] = in[2 + d];
    window.out[skip + d] = out[2 + d];
  }
  return window;
}

inline Window pool_window(const onc_pool_attrs& attrs, const kit::Dims& in, const kit::Dims& out) {
  return make_window(attrs, attrs.kernel, in, out);
}

// The sizes of a convolution; x [N,C,...], w [K,C/groups,...], y [N,K,...].
struct Convolution {
  Window window;
  int64_t n, k, k_group, c, c_group;  // k_group and c_group: channels of one group
  uint64_t flops;

  Convolution(const onc_conv_attrs& attrs, const kit::Dims& x, const kit::Dims& w, const kit::Dims& y)
      : window(make_window(attrs, w.data() + 2, x, y)),
        n(x[0]),
        k(w[0]),
        k_group(w[0] / attrs.groups),
        c(x[1]),
        c_group(w[1]),
        flops(static_cast<uint64_t>(2 * n * k * volume(window.out) * c_group * volume(window.kernel))) {}

  // Calls term(x, w, y) with the flat row-major positions of every product of the convolution.
  template <class Term>
  void terms(Term&& term) const {
    int64_t y = 0;
    for (int64_t image = 0; image < n; ++image) {
      for (int64_t filter = 0; filter < k; ++filter) {
        const int64_t first_channel = filter / k_group * c_group;
        window.outputs([&](const Place& output) {
          for (int64_t channel = 0; channel < c_group; ++channel) {
            const int64_t x_channel = (image * c + first_channel + channel) * volume(window.in);
            const int64_t w_channel = (filter * c_group + channel) * volume(window.kernel);
            window.taps(output, [&](int64_t at_window, int64_t at_input) {
              term(static_cast<size_t>(x_channel + at_input), static_cast<size_t>(w_channel + at_window), static_cast<size_t>(y));
            });
          }
          ++y;
        });
      }
    }
  }
};

}  // namespace oncilla::reference
