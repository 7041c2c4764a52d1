// Where GRID_SAMPLE reads: along each spatial dim a coordinate names a few positions with weights, which multiply over the dims.
// Coordinates become positions in F, float for float32 and the halves, as in PyTorch: the nearest neighbour and the side of a kink
// depend on it. A coordinate that is not a number reads position 0 where the border clamps or reflects.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "resample.hpp"

namespace oncilla::reference {

struct GridTap {
  int64_t at;            // -1: outside
  double weight, slope;  // slope: of the weight by the coordinate
};

template <class F>
class GridAxis {
 public:
  GridAxis(const onc_grid_sample_attrs& attrs, int64_t size)
      : mode_(attrs.mode), border_(attrs.border), align_(attrs.align_corners != 0), size_(size) {}

  std::vector<GridTap> taps(F coordinate) const {
    const F size = static_cast<F>(size_);
    const F position = align_ ? (coordinate + 1) / 2 * (size - 1) : ((coordinate + 1) * size - 1) / 2;
    const double factor = static_cast<double>(align_ ? (size - 1) / 2 : size / 2);
    if (mode_ == ONC_INTERPOLATE_CUBIC) return cubic(position, factor);
    const Folded folded = fold(position);
    if (mode_ == ONC_INTERPOLATE_NEAREST) return {{place(std::nearbyint(folded.at)), 1, 0}};
    const F floor = std::floor(folded.at);
    const double part = static_cast<double>(folded.at - floor), slope = factor * folded.slope;
    return {{place(floor), 1 - part, -slope}, {place(floor + 1), part, slope}};
  }

 private:
  struct Folded {
    F at;
    double slope;  // by the position
  };

  int64_t place(F at) const { return at >= 0 && at < static_cast<F>(size_) ? static_cast<int64_t>(at) : -1; }

  // The position after the border's rule.
  Folded fold(F at) const {
    if (border_ == ONC_BORDER_ZEROS) return {at, 1};
    double slope = 1;
    if (border_ == ONC_BORDER_REFLECT) {
      // About the outermost elements' centers (align_corners) or outer edges.
      const F low = align_ ? F(0) : F(-0.5), span = static_cast<F>(align_ ? size_ - 1 : size_);
      if (span == 0) return {0, 0};
      const F distance = std::fabs(at - low), wave = distance - 2 * span * std::floor(distance / (2 * span));
      if (at < low) slope = -slope;
      if (wave > span) slope = -slope;
      at = std::min(wave, 2 * span - wave) + low;
    }
    const F last = static_cast<F>(size_ - 1);
    if (!(at > 0)) return {0, 0};
    if (at >= last) return {last, 0};
    return {at, slope};
  }

  std::vector<GridTap> cubic(F position, double factor) const {
    const F floor = std::floor(position);
    const double part = static_cast<double>(position - floor);
    std::vector<GridTap> taps;
    for (int tap = -1; tap <= 2; ++tap) {
      const double distance = tap - part, x = std::fabs(distance), a = -0.75;
      // The derivative of Keys' polynomials, by the coordinate: the distance falls as the position grows.
      const double derivative = x <= 1 ? (3 * (a + 2) * x - 2 * (a + 3)) * x : ((3 * x - 10) * x + 8) * a;
      taps.push_back({place(fold(floor + static_cast<F>(tap)).at), std::isnan(part) ? part : keys_cubic(distance, a),
                      (distance < 0 ? derivative : -derivative) * factor});
    }
    return taps;
  }

  uint32_t mode_, border_;
  bool align_;
  int64_t size_;
};

// Calls term(x, y, grid, taps) for every combination of taps of every output; x is -1 outside. taps: of depth, height and width;
// grid: the position of the output's first coordinate, that of the width.
template <class Term>
void grid_terms(const onc_grid_sample_attrs& attrs, const kit::Tensor& x, const kit::Dims& y, const std::vector<double>& grid,
                Term&& term) {
  const size_t rank = x.dims.size() - 2;
  const Place in = spatial_sizes(x.dims), out = spatial_sizes(y);
  for (int64_t n = 0; n < y[0]; ++n) {
    for (int64_t o = 0; o < volume(out); ++o) {
      const size_t at = static_cast<size_t>((n * volume(out) + o) * static_cast<int64_t>(rank));
      std::vector<GridTap> taps[3];
      for (size_t d = 0; d < 3; ++d) {
        if (d + rank < 3) {
          taps[d] = {{0, 1, 0}};
        } else if (const double coordinate = grid[at + 2 - d]; x.dtype == ONC_F64) {
          taps[d] = GridAxis<double>(attrs, in[d]).taps(coordinate);
        } else {
          taps[d] = GridAxis<float>(attrs, in[d]).taps(static_cast<float>(coordinate));
        }
      }
      for (int64_t c = 0; c < y[1]; ++c) {
        const int64_t plane = n * y[1] + c;
        for (const GridTap& d : taps[0]) {
          for (const GridTap& h : taps[1]) {
            for (const GridTap& w : taps[2]) {
              const bool inside = d.at >= 0 && h.at >= 0 && w.at >= 0;
              // In three dims a place outside adds nothing; in two it adds zero times its weight, which may not be a number.
              if (!inside && rank == 3) continue;
              const GridTap* const all[3] = {&d, &h, &w};
              term(inside ? ((plane * in[0] + d.at) * in[1] + h.at) * in[2] + w.at : -1,
                   static_cast<size_t>(plane * volume(out) + o), at, all);
            }
          }
        }
      }
    }
  }
}

}  // namespace oncilla::reference
