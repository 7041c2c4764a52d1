// Sliding windows over the two spatial dims: the one place that knows how stride, padding and dilation pick the inputs of an
// output. The convolutions and poolings, forward and backward, all walk it, so that a backward is the adjoint of its forward by
// construction.
#pragma once

#include <cstdint>

#include "kit/desc.hpp"

namespace oncilla::reference {

struct Window {
  int64_t kernel[2], stride[2], pad[2], dilation[2];
  int64_t in[2], out[2];  // H W, P Q

  // Calls tap(r, s, h, w) for every tap of output (p, q) that lies inside the input, row by row.
  template <class Tap>
  void taps(int64_t p, int64_t q, Tap&& tap) const {
    for (int64_t r = 0; r < kernel[0]; ++r) {
      const int64_t h = p * stride[0] - pad[0] + r * dilation[0];
      if (h < 0 || h >= in[0]) continue;
      for (int64_t s = 0; s < kernel[1]; ++s) {
        const int64_t w = q * stride[1] - pad[1] + s * dilation[1];
        if (w >= 0 && w < in[1]) tap(r, s, h, w);
      }
    }
  }
};

inline Window pool_window(const onc_pool_attrs& attrs, const kit::Dims& in, const kit::Dims& out) {
  Window window{};
  for (int d = 0; d < 2; ++d) {
    window.kernel[d] = attrs.kernel[d];
    window.stride[d] = attrs.stride[d];
    window.pad[d] = attrs.pad[d];
    window.dilation[d] = attrs.dilation[d] > 0 ? attrs.dilation[d] : 1;
    window.in[d] = in[2 + d];
    window.out[d] = out[2 + d];
  }
  return window;
}

// The sizes of a convolution; x [N,C,H,W], w [K,C/groups,R,S], y [N,K,P,Q].
struct Convolution {
  Window window;
  int64_t n, k, k_group, c, c_group;  // k_group and c_group: channels of one group
  uint64_t flops;

  Convolution(const onc_conv_attrs& attrs, const kit::Dims& x, const kit::Dims& w, const kit::Dims& y)
      : window{}, n(x[0]), k(w[0]), k_group(w[0] / attrs.groups), c(x[1]), c_group(w[1]) {
    for (int d = 0; d < 2; ++d) {
      window.kernel[d] = w[2 + d];
      window.stride[d] = attrs.stride[d];
      window.pad[d] = attrs.pad[d];
      window.dilation[d] = attrs.dilation[d];
      window.in[d] = x[2 + d];
      window.out[d] = y[2 + d];
    }
    flops = static_cast<uint64_t>(2 * n * k * window.out[0] * window.out[1] * c_group * window.kernel[0] * window.kernel[1]);
  }

  // Calls term(x, w, y) with the flat row-major positions of every product of the convolution.
  template <class Term>
  void terms(Term&& term) const {
    const auto& [kernel, stride, pad, dilation, in, out] = window;
    for (int64_t image = 0, y = 0; image < n; ++image) {
      for (int64_t filter = 0; filter < k; ++filter) {
        const int64_t first_channel = filter / k_group * c_group;
        for (int64_t p = 0; p < out[0]; ++p) {
          for (int64_t q = 0; q < out[1]; ++q, ++y) {
            for (int64_t channel = 0; channel < c_group; ++channel) {
              const int64_t x_plane = (image * c + first_channel + channel) * in[0] * in[1];
              const int64_t w_plane = (filter * c_group + channel) * kernel[0] * kernel[1];
              window.taps(p, q, [&](int64_t r, int64_t s, int64_t h, int64_t w) {
                term(static_cast<size_t>(x_plane + h * in[1] + w), static_cast<size_t>(w_plane + r * kernel[1] + s),
                     static_cast<size_t>(y));
              });
            }
          }
        }
      }
    }
  }
};

}  // namespace oncilla::reference
