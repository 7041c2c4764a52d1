#include "conv/padded.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "gemm/gemm.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kRowBlock = 32;  // rows that one work-item pads

// Calls visit(place) for every place below the limits, in row-major order.
template <class Visit>
void each(const Size3& limits, Visit&& visit) {
  Size3 at;
  for (at[0] = 0; at[0] < limits[0]; ++at[0]) {
    for (at[1] = 0; at[1] < limits[1]; ++at[1]) {
      for (at[2] = 0; at[2] < limits[2]; ++at[2]) visit(at);
    }
  }
}

int64_t flat(const Size3& at, const Size3& sizes) { return (at[0] * sizes[1] + at[1]) * sizes[2] + at[2]; }
int64_t weight_offset(const ConvGeometry& g, const Size3& at) {
  return at[0] * g.w_strides[2] + at[1] * g.w_strides[3] + at[2] * g.w_strides[4];
}

// Along one dim, for one residue of the input coordinate modulo the stride: the window positions that reach it, each with the
// distance from the input's index within the phase to the output's.
struct Reach {
  int64_t position, distance;
};
std::vector<Reach> reaching(const ConvGeometry& g, size_t dim, int64_t residue) {
  std::vector<Reach> list;
  for (int64_t r = 0; r < g.window[dim]; ++r) {
    const int64_t from = residue + g.pad[dim] - r * g.dilation[dim];
    if (from % g.stride[dim] == 0) list.push_back({r, from / g.stride[dim]});
  }
  return list;
}

}  // namespace

void launch_pad(Kernel& kernel, onc_queue& queue, const Padded& to, const Mem& src, const Mem& dst) {
  const Range items{static_cast<size_t>(to.channels), static_cast<size_t>(to.images),
                    static_cast<size_t>(ceil_div(to.size[0] * to.size[1], kRowBlock))};
  kernel.launch(queue, items, {1, 1, 1}, src, dst, to.strides, as_int4(to.from), as_int4(to.before), as_int4(to.stride),
                as_int4(to.size), static_cast<cl_int>(kRowBlock), static_cast<cl_int>(to.gap), static_cast<cl_int>(to.end));
}

std::unique_ptr<Buffer> Taps::upload(Device& device) const {
  std::vector<cl_int> table;
  const auto push = [&](int64_t v) {
    kit::support(v <= std::numeric_limits<cl_int>::max(), "[conv] an offset of ", v, " elements exceeds 31 bits");
    table.push_back(static_cast<cl_int>(v));
  };
  for (const Phase& p : phases) {
    push(p.begin), push(p.stop);
    for (int64_t v : p.first) push(v);
    for (int64_t v : p.size) push(v);
  }
  for (const Tap& t : taps) push(t.place), push(t.weight);
  const size_t bytes = table.size() * sizeof(cl_int);
  cl_int status = CL_SUCCESS;
  cl::Buffer memory(device.context(), CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, bytes, table.data(), &status);
  check(status, "[conv] the table of taps");
  return std::make_unique<Buffer>(std::move(memory), bytes, nullptr, device);
}

Padded padded_input(const ConvGeometry& g) {
  Padded x{.images = g.n, .channels = g.c, .from = g.in, .before = g.pad, .stride = g.stride, .strides = g.x_strides};
  for (size_t d = 0; d < 3; ++d) x.size[d] = g.out[d] + (g.window[d] - 1) * g.dilation[d] / g.stride[d];
  return x;
}

Taps forward_taps(const ConvGeometry& g, const Padded& x) {
  Taps t;
  each(g.window, [&](const Size3& tap) {
    Size3 plane, place;
    for (size_t d = 0; d < 3; ++d) plane[d] = tap[d] * g.dilation[d] % g.stride[d], place[d] = tap[d] * g.dilation[d] / g.stride[d];
    t.taps.push_back({flat(plane, g.stride) * volume(x.size) + flat(place, x.size), weight_offset(g, tap)});
  });
  t.phases = {{0, static_cast<int64_t>(t.taps.size()), {}, g.out}};
  return t;
}

Padded padded_gradient(const ConvGeometry& g) {
  Padded y{.images = g.n, .channels = g.k, .from = g.out, .strides = g.y_strides};
  for (size_t dim = 0; dim < 3; ++dim) {
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (int64_t residue = 0; residue < std::min(g.stride[dim], g.in[dim]); ++residue) {
      for (const Reach& reach : reaching(g, dim, residue)) {
        low = std::min(low, reach.distance);
        high = std::max(high, reach.distance + ceil_div(g.in[dim] - residue, g.stride[dim]));
      }
    }
    // The grid is as large as the largest phase needs, so that a phase's rows do not run into each other.
    y.size[dim] = ceil_div(g.in[dim], g.stride[dim]);
    if (low > high) continue;  // no window reaches any input
    y.before[dim] = -low;
    y.size[dim] = std::max(y.size[dim], high - low);
  }
  return y;
}

Taps gradient_taps(const ConvGeometry& g, const Padded& y) {
  Taps t;
  Size3 phases;
  for (size_t d = 0; d < 3; ++d) phases[d] = std::min(g.stride[d], g.in[d]);
  each(phases, [&](const Size3& phase) {
    const auto begin = static_cast<int64_t>(t.taps.size());
    for (const Reach& z : reaching(g, 0, phase[0])) {
      for (const Reach& r : reaching(g, 1, phase[1])) {
        for (const Reach& s : reaching(g, 2, phase[2])) {
          const Size3 place{z.distance + y.before[0], r.distance + y.before[1], s.distance + y.before[2]};
          t.taps.push_back({flat(place, y.size), weight_offset(g, {z.position, r.position, s.position})});
        }
      }
    }
    Size3 size;
    for (size_t d = 0; d < 3; ++d) size[d] = ceil_div(g.in[d] - phase[d], g.stride[d]);
    t.phases.push_back({begin, static_cast<int64_t>(t.taps.size()), phase, size});
  });
  return t;
}

}  // namespace oncilla::ocl
