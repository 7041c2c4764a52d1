// The window variant of depthwise convolutions: what its kernel is compiled for. kernels/conv_window.cl says how it works.
#include <algorithm>
#include <utility>

#include "conv/padded.hpp"
#include "gemm/gemm.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kTaps = 49;     // which the kernel has written out
constexpr int64_t kMostRows = 8;  // of sums in registers, all phases together twice as many

// What the kernel knows of the geometry, and the block of rows that a work-item takes.
struct Layout {
  Size3 step, phases, before, places,
      reach;  // of the source between places; phases; padding in front; places of a phase; beyond a place
  int64_t vector, item_bytes, rows = 1, pitch, block = 0, padded = 0, elements = 0;

  Layout(const ConvGeometry& g, Direction direction, const Tuning& tuning)
      : vector(tile_vector_width(g.dtype, tuning.get("VB"))), item_bytes(g.dtype == ONC_F64 ? 8 : 4) {
    const bool input = direction == Direction::input;
    step = input ? Size3{1, 1, 1} : g.stride;
    phases = input ? g.stride : Size3{1, 1, 1};
    for (size_t d = 0; d < 3; ++d) {
      places[d] = input ? ceil_div(g.in[d], g.stride[d]) : g.out[d];
      before[d] = g.pad[d];
      reach[d] = (g.window[d] - 1) * g.dilation[d];
      if (input) gradient(g, d);
    }
    // The narrower vector, of at least four, where more of its lanes are used.
    if (vector >= 8 && round_up(places[2], vector / 2) < round_up(places[2], vector)) vector /= 2;
    // As many rows as leave the fewest over.
    const int64_t most = volume(phases) == 1 ? kMostRows : kMostRows / 2;
    for (int64_t i = 2; i <= most; ++i) {
      if (round_up(places[1], i) <= round_up(places[1], rows)) rows = i;
    }
    pitch = round_up(places[2] + reach[2] / step[2], 16);
    // As many rows as fit, in blocks of equal height.
    const int64_t wanted = tuning.get("LOCAL") / item_bytes;
    const int64_t groups = ceil_div(places[1], rows);
    for (int64_t blocks = 1; blocks <= groups; ++blocks) {
      resize(ceil_div(groups, blocks) * rows, g, input);
      if (elements <= wanted) break;
    }
  }

  Defines defines(const ConvGeometry& g, Direction direction) const {
    Defines defines = g.defines().set("VW", vector).set("ROWS", rows).set("PITCH", pitch);
    if (direction == Direction::input) defines.set("GRADIENT", 1);
    for (size_t d = 1; d < 3; ++d) {
      const std::string dim = d == 1 ? "_H" : "_W";
      defines.set("WINDOW" + dim, g.window[d]).set("STRIDE" + dim, g.stride[d]).set("DILATION" + dim, g.dilation[d]);
      defines.set("BEFORE" + dim, before[d]).set("PAD" + dim, g.pad[d]);
    }
    return defines;
  }

 private:
  // The least and the greatest distance from a place of the gradient to one of grad_out.
  void gradient(const ConvGeometry& g, size_t d) {
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (int64_t phase = 0; phase < g.stride[d]; ++phase) {
      for (int64_t tap = 0; tap < g.window[d]; ++tap) {
        const int64_t from = phase + g.pad[d] - tap * g.dilation[d];
        if (from % g.stride[d] != 0) continue;
        low = std::min(low, from / g.stride[d]);
        high = std::max(high, from / g.stride[d]);
      }
    }
    before[d] = -low, reach[d] = high - low;
  }

  void resize(int64_t rows_of_block, const ConvGeometry& g, bool input) {
    block = rows_of_block;
    padded = round_up(((block - 1) * step[1] + reach[1] + 1) * step[2] * pitch, vector);
    elements = padded + block * phases[1] * (input ? g.in[2] : g.out[2]) + 3 * vector;
  }
};

class WindowConv final : public Conv {
 public:
  WindowConv(Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning)
      : geometry_(geometry), input_(direction == Direction::input), layout_(geometry, direction, tuning) {
    const ConvGeometry& g = geometry_;
    blocks_ = ceil_div(layout_.places[1], layout_.block);
    // A work-item clears its local memory once for all its channels.
    const int64_t wanted = 16 * static_cast<int64_t>(device.compute_units());
    channels_ = std::clamp<int64_t>(g.c * g.n * blocks_ / wanted, 1, std::min<int64_t>(g.c, 16));
    ending_ = ConvEnding(g, layout_.vector);
    kernel_ = device.kernel("conv_window.cl", "window", layout_.defines(g, direction), ending_.prelude());
  }

  void run(onc_queue& queue, const ConvOperands& o) override {
    const ConvGeometry& g = geometry_;
    const Range items{as_size(blocks_), as_size(ceil_div(g.c, channels_)), as_size(g.n)};
    const Local local{as_size(layout_.elements * layout_.item_bytes)};
    ending_.launch(kernel_, queue, items, {1, 1, 1}, o, input_ ? o.y : o.x, o.w, o.bias, input_ ? o.x : o.y,
                   rows_and_columns(input_ ? g.out : g.in), rows_and_columns(input_ ? g.in : g.out), as_int(g.c), as_int(g.k / g.c),
                   as_int(channels_), as_int(layout_.block), as_int(layout_.padded), input_ ? g.y_strides : g.x_strides,
                   g.w_strides, input_ ? g.x_strides : g.y_strides, g.bias_stride, as_int(g.has_bias()), local);
  }

 private:
  ConvGeometry geometry_;
  bool input_;
  Layout layout_;
  int64_t blocks_ = 1, channels_ = 1;
  ConvEnding ending_;
  Kernel kernel_;
};

}  // namespace

bool window_fits(const Device& device, const ConvGeometry& g, Direction direction, const Tuning& tuning) {
  if (g.groups != g.c || direction == Direction::weight || !tile_fits(g, direction)) return false;
  if (g.in[0] != 1 || g.window[0] != 1 || g.out[0] != 1 || g.pad[0] != 0 || volume(g.window) > kTaps) return false;
  if (direction == Direction::input && g.k != g.c) return false;
  if (g.stride[1] > 2 || g.stride[2] > 2) return false;
  const Layout layout(g, direction, tuning);
  return layout.elements * layout.item_bytes <= std::min(tuning.get("LOCAL"), static_cast<int64_t>(device.local_bytes()));
}

std::unique_ptr<Conv> make_window_conv(Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning) {
  return std::make_unique<WindowConv>(device, geometry, direction, tuning);
}

}  // namespace oncilla::ocl
