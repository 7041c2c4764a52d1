// The tile variants of convolution: what is packed where in the workspace, and the launches. kernels/conv.cl says how they work.
#include <algorithm>
#include <utility>

#include "conv/padded.hpp"
#include "gemm/gemm.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kRows = 3, kColumns = 9;  // ROWS and COLUMNS of conv_grad_weight.cl
constexpr int64_t kDepths = 16;             // of the weights that one work-item packs

// Bytes of an element as kernels compute with it, which is what the workspace holds.
int64_t arithmetic_bytes(uint32_t dtype) { return dtype == ONC_F64 ? 8 : 4; }

Mem at(const onc_arg& workspace, int64_t offset, int64_t item_bytes) {
  return {{workspace.buffer, workspace.offset + static_cast<uint64_t>(offset)}, static_cast<uint32_t>(item_bytes)};
}

// The weight gradient's two copies lie on one grid, so that a weight is a dot product.
struct WeightLayout {
  Padded image, grad;
  WeightLayout(const ConvGeometry& g, int64_t vector) : image(padded_input(g)) {
    grad = {
        .images = g.n, .channels = g.k, .from = g.out, .size = {g.out[0], image.size[1], image.size[2]}, .strides = g.y_strides};
    if (g.out[0] == 1) grad.size[1] = g.out[1];  // one depth ends with its last row
    grad.gap = round_up(volume(grad.size), vector) - volume(grad.size);
    image.end = (g.out[0] == 1 ? 1 : image.size[1]) * image.size[2] + vector;
  }
};

// ROW_PANEL of conv.cl: rows of a panel of weights, of which a tile uses `rows`.
int64_t row_panel(int64_t rows) { return rows <= 8 ? 8 : kRowPanel; }

// What the tile kernels of one plan are compiled for.
struct TileShape {
  int64_t width, rows;  // of a vector, in elements; of a register tile

  TileShape(uint32_t dtype, const Tuning& tuning)
      : width(tile_vector_width(dtype, tuning.get("VB"))), rows(std::clamp<int64_t>(tuning.get("TM"), 1, kRowPanel)) {}
  Defines defines(const ConvGeometry& g) const { return g.defines().set("TILE", 1).set("VW", width).set("TM", rows); }
};

// Forward and input gradient: out[row] = sum over taps and depth of w[row][depth][tap] * image[depth][place + tap].
class TileConv final : public Conv {
 public:
  TileConv(Device& device, const ConvGeometry& geometry, bool input_gradient, const Tuning& tuning)
      : geometry_(geometry), input_gradient_(input_gradient) {
    const ConvGeometry& g = geometry_;
    const TileShape shape(g.dtype, tuning);
    image_ = input_gradient ? padded_gradient(g) : padded_input(g);
    const Taps taps = input_gradient ? gradient_taps(g, image_) : forward_taps(g, image_);
    image_.end = 2 * shape.width + image_.size[2];  // the last tile reads past the last row
    table_ = taps.upload(device);
    header_ = taps.header();
    phases_ = static_cast<int64_t>(taps.phases.size());
    taps_ = static_cast<int64_t>(taps.taps.size());
    rows_ = input_gradient ? g.channels() : g.rows();
    depth_ = input_gradient ? g.rows() : g.channels();
    row_tiles_ = ceil_div(rows_, shape.rows);
    for (const Phase& p : taps.phases) {
      const int64_t places = ((p.size[0] - 1) * image_.size[1] + p.size[1]) * image_.size[2];
      grid_tiles_ = std::max(grid_tiles_, ceil_div(places, 2 * shape.width));
    }
    // A work-item keeps its columns for several row tiles; more of them where that leaves too few work-items.
    const int64_t items = grid_tiles_ * phases_ * g.n * g.groups, wanted = 16 * static_cast<int64_t>(device.compute_units());
    tiles_ = std::clamp<int64_t>(row_tiles_ * items / wanted, 1, row_tiles_);
    item_bytes_ = arithmetic_bytes(g.dtype);
    panel_ = row_panel(shape.rows);
    // Weights that do not fit the cache beside an image would be read anew for each: then a block of images shares a row tile.
    const int64_t cache = tuning.get("CACHE"), image_bytes = depth_ * image_.channel() * item_bytes_;
    if (row_tiles_ * taps_ * depth_ * panel_ * item_bytes_ > cache / 2 && image_bytes <= cache) {
      images_ = std::clamp<int64_t>(cache / image_bytes, 1, g.n);
      tiles_ = 1;
    }
    weights_at_ = round_up(image_.elements() * item_bytes_, 64);
    const Defines defines = shape.defines(g);
    pad_ = device.kernel("conv.cl", "pad", defines);
    pack_ = device.kernel("conv.cl", "pack_taps", defines);
    ending_ = ConvEnding(g, shape.width);
    tile_ = device.kernel("conv.cl", "tile", defines, ending_.prelude());
  }

  uint64_t workspace_bytes() const override {
    return static_cast<uint64_t>(weights_at_ + geometry_.groups * row_tiles_ * taps_ * depth_ * panel_ * item_bytes_);
  }

  void run(onc_queue& queue, const ConvOperands& o) override {
    const ConvGeometry& g = geometry_;
    const Mem image = at(o.workspace, 0, item_bytes_), weights = at(o.workspace, weights_at_, item_bytes_);
    const Mem table{{table_.get(), 0}, sizeof(cl_int)};
    launch_pad(pad_, queue, image_, input_gradient_ ? o.y : o.x, image);
    if (taps_ > 0) {
      const int64_t row_stride = g.w_strides[input_gradient_ ? 1 : 0], depth_stride = g.w_strides[input_gradient_ ? 0 : 1];
      const Range items{as_size(row_tiles_), as_size(ceil_div(depth_, kDepths)), as_size(g.groups)};
      pack_.launch(queue, items, {1, 1, 1}, o.w, weights, table, as_int(header_), as_int(taps_), as_int(rows_), as_int(depth_),
                   as_int(kDepths), row_stride, depth_stride, g.rows() * g.w_strides[0]);
    }
    const Strides& base = input_gradient_ ? g.x_strides : g.y_strides;
    Strides steps = base;
    for (size_t d = 0; d < 3 && input_gradient_; ++d) steps[2 + d] *= g.stride[d];
    const int64_t shares = ceil_div(row_tiles_, tiles_) * phases_ * g.groups * ceil_div(g.n, images_);
    const Range items{as_size(grid_tiles_), as_size(images_), as_size(shares)};
    ending_.launch(tile_, queue, items, {1, 1, 1}, o, image, weights, o.bias, input_gradient_ ? o.x : o.y, table, as_int(g.n),
                   as_int(phases_), as_int(taps_), as_int(rows_), as_int(depth_), as_int(row_tiles_), as_int(tiles_),
                   as_int(g.groups), image_.channel(), as_int(image_.size[1]), as_int(image_.size[2]), steps, base, g.bias_stride,
                   as_int(g.has_bias()));
  }

 private:
  ConvGeometry geometry_;
  bool input_gradient_;
  Padded image_;
  std::unique_ptr<Buffer> table_;
  int64_t header_ = 0, phases_ = 1, taps_ = 0, rows_ = 0, depth_ = 0, row_tiles_ = 0, grid_tiles_ = 0, tiles_ = 1, images_ = 1,
          panel_ = 1, item_bytes_ = 4, weights_at_ = 0;
  ConvEnding ending_;
  Kernel pad_, pack_, tile_;
};

class TileConvGradWeight final : public Conv {
 public:
  TileConvGradWeight(Device& device, const ConvGeometry& geometry, const Tuning& tuning)
      : geometry_(geometry), shape_(geometry.dtype, tuning), layout_(geometry, shape_.width) {
    const ConvGeometry& g = geometry_;
    Taps taps = forward_taps(g, layout_.image);
    taps.phases.clear();
    table_ = taps.upload(device);
    taps_ = volume(g.window);
    item_bytes_ = arithmetic_bytes(g.dtype);
    // A chunk of images stays in the cache for all tiles; but not so small that summing the lanes at its end shows.
    const int64_t image_bytes = layout_.image.channels * layout_.image.channel() * item_bytes_;
    const int64_t least = ceil_div(tuning.get("LEAST"), layout_.grad.channel());
    chunk_ = std::clamp<int64_t>(tuning.get("CACHE") / image_bytes, std::min(least, g.n), g.n);
    chunks_ = ceil_div(g.n, chunk_);
    grad_at_ = round_up(layout_.image.elements() * item_bytes_, 64);
    partial_at_ = grad_at_ + round_up(layout_.grad.elements() * item_bytes_, 64);
    const Defines defines = shape_.defines(g);
    pad_ = device.kernel("conv.cl", "pad", defines);
    dot_ = device.kernel("conv_grad_weight.cl", "dot_tile", defines);
    sum_ = device.kernel("conv_grad_weight.cl", "sum_chunks", defines);
    sum_width_ = std::min<size_t>(32, device.max_work_group());
  }

  uint64_t workspace_bytes() const override {
    return static_cast<uint64_t>(partial_at_ + chunks_ * geometry_.k * geometry_.channels() * taps_ * item_bytes_);
  }

  void run(onc_queue& queue, const ConvOperands& o) override {
    const ConvGeometry& g = geometry_;
    const Mem image = at(o.workspace, 0, item_bytes_), grad = at(o.workspace, grad_at_, item_bytes_);
    const Mem partial = at(o.workspace, partial_at_, item_bytes_), table{{table_.get(), 0}, sizeof(cl_int)};
    launch_pad(pad_, queue, layout_.image, o.x, image);
    launch_pad(pad_, queue, layout_.grad, o.y, grad);
    const int64_t columns = g.channels() * taps_;
    const Range tiles{as_size(ceil_div(columns, kColumns)), as_size(ceil_div(g.rows(), kRows) * g.groups), as_size(chunks_)};
    dot_.launch(queue, tiles, {1, 1, 1}, grad, image, partial, table, as_int(g.n), as_int(chunk_), as_int(g.rows()),
                as_int(g.channels()), as_int(taps_), as_int(g.groups), as_int(layout_.grad.channel()), layout_.image.channel());
    sum_.launch(queue, {as_size(columns), as_size(g.k), 1}, {sum_width_, 1, 1}, partial, o.y, o.x, o.w, g.sizes(), g.steps(),
                g.y_strides, g.x_strides, g.w_strides, as_int(chunks_));
  }

 private:
  ConvGeometry geometry_;
  TileShape shape_;
  WeightLayout layout_;
  std::unique_ptr<Buffer> table_;
  int64_t taps_ = 0, chunk_ = 1, chunks_ = 1, item_bytes_ = 4, grad_at_ = 0, partial_at_ = 0;
  size_t sum_width_ = 1;
  Kernel pad_, dot_, sum_;
};

}  // namespace

bool tile_fits(const ConvGeometry& g, Direction direction) {
  // Places in a padded channel, taps, their offsets and the phases of the input gradient are counted in 32 bits, and tabled.
  constexpr int64_t kPlaces = int64_t{1} << 30, kTable = int64_t{1} << 20;
  if (g.n == 0 || g.c == 0 || g.k == 0 || volume(g.in) == 0 || volume(g.out) == 0) return false;
  int64_t reach = 0, phases = 1, window = 0;
  for (size_t d = 0; d < 3; ++d) {
    reach += (g.window[d] - 1) * g.w_strides[2 + d];
    phases *= std::min(g.stride[d], std::min(g.in[d], kTable));
    window += g.window[d];
    if (phases > kTable) return false;
  }
  if (volume(g.window) > kTable || reach > kPlaces || phases * window > kTable) return false;
  const Padded image = direction == Direction::input ? padded_gradient(g) : padded_input(g);
  double places = 1;  // as a product of six sizes beyond what 64 bits hold
  for (size_t d = 0; d < 3; ++d) places *= static_cast<double>(image.stride[d]) * static_cast<double>(image.size[d]);
  return places < static_cast<double>(kPlaces);
}

std::unique_ptr<Conv> make_tile_conv(Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning) {
  if (direction == Direction::weight) return std::make_unique<TileConvGradWeight>(device, geometry, tuning);
  return std::make_unique<TileConv>(device, geometry, direction == Direction::input, tuning);
}

}  // namespace oncilla::ocl
