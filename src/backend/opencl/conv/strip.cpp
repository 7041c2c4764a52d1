// The strip variants of convolution: how high a strip is, and the launches. kernels/conv_strip.cl says how they work.
#include <algorithm>

#include "conv/padded.hpp"
#include "gemm/gemm.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kColumns = 9;  // COLUMNS of conv_strip.cl
constexpr int64_t kDepths = 16;  // of the weights that one work-item packs

// Rows of the output that a work-item computes, and the local memory for what they need of the image.
struct Strip {
  Padded plane;
  int64_t rows = 0, count = 0, vector, item_bytes, elements = 0;

  Strip(const ConvGeometry& g, const Tuning& tuning)
      : plane(padded_input(g)), vector(tile_vector_width(g.dtype, tuning.get("VB"))), item_bytes(g.dtype == ONC_F64 ? 8 : 4) {
    const int64_t halo = plane.size[1] - g.out[1], wanted = tuning.get("LOCAL") / item_bytes;
    const auto resize = [&](int64_t height) {
      rows = height;
      plane.size[1] = height + halo;
      elements = g.channels() * plane.channel() + 2 * vector;
    };
    plane.size[2] = round_up(plane.size[2], vector);
    resize(1);
    const int64_t row = volume(plane.stride) * plane.size[2] * g.channels();
    const int64_t most = 1 + std::max<int64_t>(wanted - elements, 0) / row;
    count = ceil_div(g.out[1], std::min(most, g.out[1]));
    resize(ceil_div(g.out[1], count));
  }
  Int2 size() const { return rows_and_columns(plane.size); }
};

class StripConv final : public Conv {
 public:
  StripConv(Device& device, const ConvGeometry& geometry, const Tuning& tuning) : geometry_(geometry), strip_(geometry, tuning) {
    const ConvGeometry& g = geometry_;
    Taps taps = forward_taps(g, strip_.plane);
    taps.phases.clear();
    table_ = taps.upload(device);
    const int64_t rows = std::clamp<int64_t>(tuning.get("TM"), 1, kRowPanel);
    row_tiles_ = ceil_div(g.rows(), rows);
    panel_ = rows <= 8 ? 8 : kRowPanel;
    const Defines defines = g.defines().set("VW", strip_.vector).set("TM", rows);
    Defines of_tile = defines;
    pack_ = device.kernel("conv.cl", "pack_taps", of_tile.set("TILE", 1));
    ending_ = ConvEnding(g, strip_.vector);
    kernel_ = device.kernel("conv_strip.cl", "strip", defines, ending_.prelude());
  }

  uint64_t workspace_bytes() const override {
    const ConvGeometry& g = geometry_;
    return static_cast<uint64_t>(g.groups * row_tiles_ * volume(g.window) * g.channels() * panel_ * strip_.item_bytes);
  }

  void run(onc_queue& queue, const ConvOperands& o) override {
    const ConvGeometry& g = geometry_;
    const Mem weights{o.workspace, static_cast<uint32_t>(strip_.item_bytes)}, table{{table_.get(), 0}, sizeof(cl_int)};
    pack_.launch(queue, {as_size(row_tiles_), as_size(ceil_div(g.channels(), kDepths)), as_size(g.groups)}, {1, 1, 1}, o.w, weights,
                 table, as_int(0), as_int(volume(g.window)), as_int(g.rows()), as_int(g.channels()), as_int(kDepths),
                 g.w_strides[0], g.w_strides[1], g.rows() * g.w_strides[0]);
    ending_.launch(kernel_, queue, {as_size(strip_.count), as_size(g.groups), as_size(g.n)}, {1, 1, 1}, o, o.x, weights, o.bias,
                   o.y, table, g.sizes(), g.steps(), g.x_strides, g.y_strides, g.bias_stride, as_int(g.has_bias()),
                   as_int(row_tiles_), strip_.size(), as_int(strip_.rows), Local{as_size(strip_.elements * strip_.item_bytes)});
  }

 private:
  ConvGeometry geometry_;
  Strip strip_;
  std::unique_ptr<Buffer> table_;
  int64_t row_tiles_ = 0, panel_ = 8;
  ConvEnding ending_;
  Kernel pack_, kernel_;
};

// Of the gradient of a weight: a strip of both tensors, and the sums of as many output channels as fit.
struct WeightStrip : Strip {
  int64_t tile_rows, pitch, outputs;

  WeightStrip(const ConvGeometry& g, const Tuning& tuning, int64_t most_bytes)
      : Strip(g, tuning), pitch(round_up(g.out[2], vector)) {
    // Tiles of two rows, where they leave fewer over.
    tile_rows = round_up(g.rows(), 2) < round_up(g.rows(), 3) ? 2 : 3;
    const int64_t strips = elements + tile_rows * rows * pitch;
    const int64_t tile = tile_rows * round_up(g.channels() * volume(g.window), kColumns) * vector;
    const int64_t tiles = ceil_div(g.rows(), tile_rows);
    const int64_t most = std::clamp<int64_t>((most_bytes / item_bytes - strips) / tile, 1, tiles);
    outputs = tile_rows * ceil_div(tiles, ceil_div(tiles, most));
    elements = strips + outputs / tile_rows * tile;
  }
};

class StripConvGradWeight final : public Conv {
 public:
  StripConvGradWeight(Device& device, const ConvGeometry& geometry, const Tuning& tuning)
      : geometry_(geometry), strip_(geometry, tuning, sums_bytes(device, tuning)) {
    const ConvGeometry& g = geometry_;
    Taps taps = forward_taps(g, strip_.plane);
    taps.phases.clear();
    table_ = taps.upload(device);
    blocks_ = ceil_div(g.rows(), strip_.outputs);
    const int64_t wanted = ceil_div(8 * static_cast<int64_t>(device.compute_units()), blocks_ * g.groups);
    chunk_ = ceil_div(g.n * strip_.count, wanted);
    chunks_ = ceil_div(g.n * strip_.count, chunk_);
    const Defines defines = g.defines().set("VW", strip_.vector).set("WEIGHT", 1).set("ROWS", strip_.tile_rows);
    dots_ = device.kernel("conv_strip.cl", "strip_dots", defines);
    sum_ = device.kernel("conv_strip.cl", "sum_chunks", defines);
    sum_width_ = std::min<size_t>(32, device.max_work_group());
  }

  // Of local memory, with a strip of both tensors.
  static int64_t sums_bytes(const Device& device, const Tuning& tuning) {
    return std::min(tuning.get("SUMS"), static_cast<int64_t>(device.local_bytes()));
  }

  uint64_t workspace_bytes() const override {
    const ConvGeometry& g = geometry_;
    return static_cast<uint64_t>(chunks_ * g.k * g.channels() * volume(g.window) * strip_.item_bytes);
  }

  void run(onc_queue& queue, const ConvOperands& o) override {
    const ConvGeometry& g = geometry_;
    const Mem partial{o.workspace, static_cast<uint32_t>(strip_.item_bytes)}, table{{table_.get(), 0}, sizeof(cl_int)};
    dots_.launch(queue, {as_size(chunks_), as_size(blocks_ * g.groups), 1}, {1, 1, 1}, o.y, o.x, partial, table, g.sizes(),
                 g.steps(), g.y_strides, g.x_strides, strip_.size(), as_int(strip_.rows), as_int(strip_.count), as_int(chunk_),
                 as_int(strip_.outputs), as_int(strip_.pitch), Local{as_size(strip_.elements * strip_.item_bytes)});
    sum_.launch(queue, {as_size(g.channels() * volume(g.window)), as_size(g.k), 1}, {sum_width_, 1, 1}, partial, o.y, o.x, o.w,
                g.sizes(), g.steps(), g.y_strides, g.x_strides, g.w_strides, as_int(chunks_));
  }

 private:
  ConvGeometry geometry_;
  WeightStrip strip_;
  std::unique_ptr<Buffer> table_;
  int64_t blocks_ = 1, chunk_ = 1, chunks_ = 1;
  size_t sum_width_ = 1;
  Kernel dots_, sum_;
};

}  // namespace

bool strip_fits(const Device& device, const ConvGeometry& g, Direction direction, const Tuning& tuning) {
  if (direction == Direction::input || !tile_fits(g, direction)) return false;
  if (g.in[0] != 1 || g.window[0] != 1 || g.out[0] != 1 || g.pad[0] != 0) return false;
  const auto fits = [&](const Strip& strip) {
    return strip.elements * strip.item_bytes <= static_cast<int64_t>(device.local_bytes());
  };
  if (direction == Direction::forward) return fits(Strip(g, tuning));
  return fits(WeightStrip(g, tuning, StripConvGradWeight::sums_bytes(device, tuning)));
}

std::unique_ptr<Conv> make_strip_conv(Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning) {
  if (direction == Direction::weight) return std::make_unique<StripConvGradWeight>(device, geometry, tuning);
  return std::make_unique<StripConv>(device, geometry, tuning);
}

}  // namespace oncilla::ocl
