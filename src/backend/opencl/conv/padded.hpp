// Padded copies of tensors and the tables of taps over them, as kernels/conv.cl describes them.
#pragma once

#include <memory>
#include <vector>

#include "conv/conv.hpp"

namespace oncilla::ocl {

// What the launches of these kernels are full of.
inline int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }
inline cl_int as_int(int64_t v) { return static_cast<cl_int>(v); }
inline size_t as_size(int64_t v) { return static_cast<size_t>(v); }
inline std::array<cl_int, 4> as_int4(const Size3& v) { return {as_int(v[0]), as_int(v[1]), as_int(v[2]), 0}; }
using Int2 = std::array<cl_int, 2>;
inline Int2 rows_and_columns(const Size3& v) { return {as_int(v[1]), as_int(v[2])}; }

// A padded copy of a tensor [images, channels, depth, height, width]: [image][channel][plane][depth][height][width], gap elements
// after each channel, end after the last.
struct Padded {
  int64_t images = 0, channels = 0;
  Size3 from{1, 1, 1}, before{}, stride{1, 1, 1};  // source sizes; padding (negative: cropped); planes by residue
  Size3 size{1, 1, 1};                             // of a plane
  int64_t gap = 0, end = 0;
  Strides strides{};  // of the source

  int64_t channel() const { return volume(stride) * volume(size) + gap; }
  int64_t elements() const { return images * channels * channel() + end; }
};

// Kernel `pad` of conv.cl.
void launch_pad(Kernel& kernel, onc_queue& queue, const Padded& to, const Mem& src, const Mem& dst);

// Outputs of one phase: its taps, its first output, how many outputs there are along each dim.
struct Phase {
  int64_t begin, stop;
  Size3 first, size;
};
// place: from an output's place on the grid to the tap's input. weight: offset of the tap in w.
struct Tap {
  int64_t place, weight;
};
struct Taps {
  std::vector<Phase> phases;
  std::vector<Tap> taps;

  int64_t header() const { return static_cast<int64_t>(phases.size()) * 8; }
  std::unique_ptr<Buffer> upload(Device& device) const;
};

// x laid out for the forward, and its taps.
Padded padded_input(const ConvGeometry& geometry);
Taps forward_taps(const ConvGeometry& geometry, const Padded& x);

// grad_out laid out for the input gradient, so that every distance stays inside, and its taps by phase.
Padded padded_gradient(const ConvGeometry& geometry);
Taps gradient_taps(const ConvGeometry& geometry, const Padded& y);

}  // namespace oncilla::ocl
