// Sliding windows, for the rules of convolution and pooling.
#pragma once

#include <limits>

#include "kit/check.hpp"

namespace oncilla::kit {

// Attributes and window sizes beyond it would overflow the arithmetic below, and describe no image.
inline constexpr int64_t kMaxExtent = std::numeric_limits<int32_t>::max();

// One spatial dim of a sliding window.
struct Window {
  size_t dim;
  int64_t in, out, kernel, stride, pad, dilation;
  // Positions between the first window's start and the last possible one; negative if the window does not fit.
  int64_t room() const { return in + 2 * pad - dilation * (kernel - 1) - 1; }
};

inline void check_window(const Rules& r, const Window& w) {
  r.holds(w.kernel >= 1 && w.kernel <= kMaxExtent, "kernel size ", w.kernel, " in spatial dim ", w.dim, " is not in 1 ... ",
          kMaxExtent);
  r.holds(w.stride >= 1 && w.stride <= kMaxExtent, "stride ", w.stride, " in spatial dim ", w.dim, " is not in 1 ... ", kMaxExtent);
  r.holds(w.pad >= 0 && w.pad <= kMaxExtent, "pad ", w.pad, " in spatial dim ", w.dim, " is not in 0 ... ", kMaxExtent);
  r.holds(w.dilation >= 1 && w.dilation <= kMaxExtent, "dilation ", w.dilation, " in spatial dim ", w.dim, " is not in 1 ... ",
          kMaxExtent);
}

}  // namespace oncilla::kit
