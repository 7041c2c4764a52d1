// The tile variants of convolution: the layouts of their padded copies, the tables of taps, and the launches. kernels/conv.cl says
// how they work.
#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "conv/conv.hpp"
#include "gemm/gemm.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kRowBlock = 32;           // rows that one work-item pads
constexpr int64_t kRows = 3, kColumns = 9;  // ROWS and COLUMNS of conv_grad_weight.cl

int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }
cl_int as_int(int64_t v) { return static_cast<cl_int>(v); }
size_t as_size(int64_t v) { return static_cast<size_t>(v); }

// A padded copy of a tensor [images, channels, height, width]: [image][channel][plane][height][width], gap elements after each
// channel, end after the last.
struct Padded {
  int64_t images = 0, channels = 0, from_height = 0, from_width = 0;
  std::array<int64_t, 2> before{}, stride{1, 1};  // rows and columns of padding (negative: cropped); planes by residue
  int64_t height = 1, width = 1, gap = 0, end = 0;
  Strides4 strides{};  // of the source

  int64_t plane() const { return height * width; }
  int64_t channel() const { return stride[0] * stride[1] * plane() + gap; }
  int64_t elements() const { return images * channels * channel() + end; }
};

void launch_pad(Kernel& kernel, onc_queue& queue, const Padded& to, const Mem& src, const Mem& dst) {
  const Range items{as_size(to.channels), as_size(to.images), as_size(ceil_div(to.height, kRowBlock))};
  kernel.launch(queue, items, {1, 1, 1}, src, dst, to.strides, as_int(to.from_height), as_int(to.from_width), as_int(to.before[0]),
                as_int(to.before[1]), as_int(to.stride[0]), as_int(to.stride[1]), as_int(to.height), as_int(to.width),
                as_int(kRowBlock), as_int(to.gap), as_int(to.end));
}

// Phases and taps as conv.cl reads them. place: from an output's place on the grid to the tap's input. weight: offset of the tap in
// w.
struct Phase {
  int64_t begin, stop, row, column, height, width;
};
struct Tap {
  int64_t place, weight;
};
struct Taps {
  std::vector<Phase> phases;
  std::vector<Tap> taps;

  std::unique_ptr<Buffer> upload(Device& device) const {
    std::vector<cl_int> table;
    const auto push = [&](int64_t v) {
      kit::support(v <= std::numeric_limits<cl_int>::max(), "[conv] an offset of ", v, " elements exceeds 31 bits");
      table.push_back(as_int(v));
    };
    for (const Phase& p : phases) {
      for (int64_t v : {p.begin, p.stop, p.row, p.column, p.height, p.width}) push(v);
    }
    for (const Tap& t : taps) push(t.place), push(t.weight);
    const size_t bytes = table.size() * sizeof(cl_int);
    cl_int status = CL_SUCCESS;
    cl::Buffer memory(device.context(), CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, bytes, table.data(), &status);
    check(status, "[conv] the table of taps");
    return std::make_unique<Buffer>(std::move(memory), bytes, device);
  }
};

void support_places(const Padded& image, const char* what) {
  kit::support(image.channel() < (int64_t{1} << 31), "[conv] a padded channel of ", what, " of ", image.channel(),
               " elements exceeds 31 bits");
}

// x laid out for the forward, and its taps.
Padded padded_input(const ConvGeometry& g) {
  Padded x{g.n, g.c, g.h, g.w, g.pad, g.stride, 1, 1, 0, 0, g.x_strides};
  x.height = g.p + (g.r - 1) * g.dilation[0] / g.stride[0];
  x.width = g.q + (g.s - 1) * g.dilation[1] / g.stride[1];
  return x;
}

Taps forward_taps(const ConvGeometry& g, const Padded& x) {
  Taps t;
  for (int64_t r = 0; r < g.r; ++r) {
    for (int64_t s = 0; s < g.s; ++s) {
      const int64_t h = r * g.dilation[0], w = s * g.dilation[1];
      const int64_t plane = h % g.stride[0] * g.stride[1] + w % g.stride[1];
      t.taps.push_back({plane * x.plane() + h / g.stride[0] * x.width + w / g.stride[1], r * g.w_strides[2] + s * g.w_strides[3]});
    }
  }
  t.phases = {{0, static_cast<int64_t>(t.taps.size()), 0, 0, g.p, g.q}};
  return t;
}

// Along one dim, for one residue of the input coordinate modulo the stride: the window positions that reach it, each with the
// distance from the input's index within the phase to the output's.
struct Reach {
  int64_t position, distance;
};
std::vector<Reach> reaching(const ConvGeometry& g, size_t dim, int64_t residue) {
  std::vector<Reach> list;
  const int64_t window = dim == 0 ? g.r : g.s;
  for (int64_t r = 0; r < window; ++r) {
    const int64_t from = residue + g.pad[dim] - r * g.dilation[dim];
    if (from % g.stride[dim] == 0) list.push_back({r, from / g.stride[dim]});
  }
  return list;
}

// grad_out laid out for the input gradient: padded so that every distance stays inside. Returns its taps, sorted by phase.
Taps gradient_taps(const ConvGeometry& g, Padded& y) {
  y = {g.n, g.k, g.p, g.q, {}, {1, 1}, 1, 1, 0, 0, g.y_strides};
  std::array<int64_t, 2> extent{1, 1};
  for (size_t dim = 0; dim < 2; ++dim) {
    const int64_t size = dim == 0 ? g.h : g.w;
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (int64_t residue = 0; residue < std::min(g.stride[dim], size); ++residue) {
      for (const Reach& reach : reaching(g, dim, residue)) {
        low = std::min(low, reach.distance);
        high = std::max(high, reach.distance + ceil_div(size - residue, g.stride[dim]));
      }
    }
    if (low > high) continue;  // no window reaches any input
    y.before[dim] = -low;
    extent[dim] = high - low;
  }
  // The grid's rows are as wide as the widest phase needs, so that a phase's rows do not run into each other.
  y.height = extent[0];
  y.width = std::max(extent[1], ceil_div(g.w, g.stride[1]));
  Taps t;
  for (int64_t row = 0; row < std::min(g.stride[0], g.h); ++row) {
    for (int64_t column = 0; column < std::min(g.stride[1], g.w); ++column) {
      const auto begin = static_cast<int64_t>(t.taps.size());
      for (const Reach& r : reaching(g, 0, row)) {
        for (const Reach& s : reaching(g, 1, column)) {
          t.taps.push_back({(r.distance + y.before[0]) * y.width + s.distance + y.before[1],
                            r.position * g.w_strides[2] + s.position * g.w_strides[3]});
        }
      }
      t.phases.push_back({begin, static_cast<int64_t>(t.taps.size()), row, column, ceil_div(g.h - row, g.stride[0]),
                          ceil_div(g.w - column, g.stride[1])});
    }
  }
  return t;
}

// What the tile kernels of one plan are compiled for.
struct TileShape {
  int64_t width, rows;  // of a vector, in elements; of a register tile

  TileShape(uint32_t dtype, const Tuning& tuning)
      : width(tile_vector_width(dtype, tuning.get("VB", 64))), rows(std::clamp<int64_t>(tuning.get("TM", 8), 1, kRowPanel)) {}
  Defines defines(uint32_t dtype) const {
    return Defines().set("TILE", 1).set("T", gemm_type(dtype)).set("VW", width).set("TM", rows);
  }
};

// Forward and input gradient: out[row] = sum over taps and depth of w[row][depth][tap] * image[depth][place + tap].
class TileConv final : public Conv {
 public:
  TileConv(Device& device, const ConvGeometry& geometry, bool input_gradient, const Tuning& tuning)
      : geometry_(geometry), input_gradient_(input_gradient) {
    const ConvGeometry& g = geometry_;
    const TileShape shape(g.dtype, tuning);
    Taps taps;
    if (input_gradient) {
      taps = gradient_taps(g, image_);
    } else {
      image_ = padded_input(g);
      taps = forward_taps(g, image_);
    }
    image_.end = 2 * shape.width + image_.width;  // the last tile reads past the last row
    support_places(image_, input_gradient ? "grad_out" : "x");
    table_ = taps.upload(device);
    phases_ = static_cast<int64_t>(taps.phases.size());
    taps_ = static_cast<int64_t>(taps.taps.size());
    rows_ = (input_gradient ? g.c : g.k) / g.groups;
    depth_ = (input_gradient ? g.k : g.c) / g.groups;
    row_tiles_ = ceil_div(rows_, shape.rows);
    for (const Phase& p : taps.phases) grid_tiles_ = std::max(grid_tiles_, ceil_div(p.height * image_.width, 2 * shape.width));
    // A work-item keeps its columns for several row tiles; more of them where that leaves too few work-items.
    const int64_t items = grid_tiles_ * phases_ * g.n * g.groups, wanted = 16 * static_cast<int64_t>(device.compute_units());
    tiles_ = std::clamp<int64_t>(row_tiles_ * items / wanted, 1, row_tiles_);
    item_bytes_ = static_cast<int64_t>(kit::dtype_bytes(g.dtype));
    weights_at_ = round_up(image_.elements() * item_bytes_, 64);
    const Defines defines = shape.defines(g.dtype);
    pad_ = device.kernel("conv.cl", "pad", defines);
    pack_ = device.kernel("conv.cl", "pack_taps", defines);
    tile_ = device.kernel("conv.cl", "tile", defines);
  }

  uint64_t workspace_bytes() const override {
    return static_cast<uint64_t>(weights_at_ + geometry_.groups * row_tiles_ * taps_ * depth_ * kRowPanel * item_bytes_);
  }

  void run(onc_queue& queue, const ConvOperands& o) override {
    const ConvGeometry& g = geometry_;
    const auto bytes = static_cast<uint32_t>(item_bytes_);
    const Mem image{o.workspace, bytes}, table{{table_.get(), 0}, sizeof(cl_int)};
    const Mem weights{{o.workspace.buffer, o.workspace.offset + static_cast<uint64_t>(weights_at_)}, bytes};
    launch_pad(pad_, queue, image_, input_gradient_ ? o.y : o.x, image);
    const int64_t header = phases_ * 6;
    if (taps_ > 0) {
      const int64_t row_stride = g.w_strides[input_gradient_ ? 1 : 0], depth_stride = g.w_strides[input_gradient_ ? 0 : 1];
      pack_.launch(queue, {as_size(row_tiles_), as_size(taps_), as_size(g.groups)}, {1, 1, 1}, o.w, weights, table, as_int(header),
                   as_int(rows_), as_int(depth_), row_stride, depth_stride, g.k / g.groups * g.w_strides[0]);
    }
    const Strides4& base = input_gradient_ ? g.x_strides : g.y_strides;
    Strides4 steps = base;
    if (input_gradient_) steps[2] *= g.stride[0], steps[3] *= g.stride[1];
    const Range items{as_size(grid_tiles_), as_size(ceil_div(row_tiles_, tiles_) * phases_), as_size(g.n * g.groups)};
    tile_.launch(queue, items, {1, 1, 1}, image, weights, o.bias, input_gradient_ ? o.x : o.y, table, as_int(phases_),
                 as_int(taps_), as_int(rows_), as_int(depth_), as_int(row_tiles_), as_int(tiles_), as_int(g.groups),
                 image_.channel(), as_int(image_.width), steps, base, g.bias_stride, as_int(g.has_bias ? 1 : 0));
  }

 private:
  ConvGeometry geometry_;
  bool input_gradient_;
  Padded image_;
  std::unique_ptr<Buffer> table_;
  int64_t phases_ = 1, taps_ = 0, rows_ = 0, depth_ = 0, row_tiles_ = 0, grid_tiles_ = 0, tiles_ = 1, item_bytes_ = 4,
          weights_at_ = 0;
  Kernel pad_, pack_, tile_;
};

class TileConvGradWeight final : public Conv {
 public:
  TileConvGradWeight(Device& device, const ConvGeometry& geometry, const Tuning& tuning) : geometry_(geometry) {
    const ConvGeometry& g = geometry_;
    const TileShape shape(g.dtype, tuning);
    image_ = padded_input(g);
    image_.end = image_.width + shape.width;
    support_places(image_, "x");
    grad_ = {g.n, g.k, g.p, g.q, {}, {1, 1}, g.p, image_.width, 0, 0, g.y_strides};
    grad_.gap = round_up(grad_.plane(), shape.width) - grad_.plane();
    support_places(grad_, "grad_out");
    Taps taps = forward_taps(g, image_);
    taps.phases.clear();
    table_ = taps.upload(device);
    rows_ = g.k / g.groups, channels_ = g.c / g.groups, taps_ = g.r * g.s;
    item_bytes_ = static_cast<int64_t>(kit::dtype_bytes(g.dtype));
    // A chunk of images stays in the cache for all tiles; but not so small that summing the lanes at its end shows.
    const int64_t image_bytes = image_.channels * image_.channel() * item_bytes_;
    const int64_t least = ceil_div(tuning.get("LEAST", 4096), grad_.channel());
    chunk_ = std::clamp<int64_t>(tuning.get("CACHE", 512 << 10) / image_bytes, std::min(least, g.n), g.n);
    chunks_ = ceil_div(g.n, chunk_);
    grad_at_ = round_up(image_.elements() * item_bytes_, 64);
    partial_at_ = grad_at_ + round_up(grad_.elements() * item_bytes_, 64);
    const Defines defines = shape.defines(g.dtype);
    pad_ = device.kernel("conv.cl", "pad", defines);
    dot_ = device.kernel("conv_grad_weight.cl", "dot_tile", defines);
    sum_ = device.kernel("conv_grad_weight.cl", "sum_chunks", defines);
    sum_width_ = std::min<size_t>(32, device.max_work_group());
  }

  uint64_t workspace_bytes() const override {
    return static_cast<uint64_t>(partial_at_ + chunks_ * geometry_.k * channels_ * taps_ * item_bytes_);
  }

  void run(onc_queue& queue, const ConvOperands& o) override {
    const ConvGeometry& g = geometry_;
    const auto at = [&](int64_t offset) {
      return Mem{{o.workspace.buffer, o.workspace.offset + static_cast<uint64_t>(offset)}, static_cast<uint32_t>(item_bytes_)};
    };
    const Mem table{{table_.get(), 0}, sizeof(cl_int)};
    launch_pad(pad_, queue, image_, o.x, at(0));
    launch_pad(pad_, queue, grad_, o.y, at(grad_at_));
    const int64_t columns = channels_ * taps_;
    const Range tiles{as_size(ceil_div(columns, kColumns)), as_size(ceil_div(rows_, kRows) * g.groups), as_size(chunks_)};
    dot_.launch(queue, tiles, {1, 1, 1}, at(grad_at_), at(0), at(partial_at_), table, as_int(g.n), as_int(chunk_), as_int(rows_),
                as_int(channels_), as_int(taps_), as_int(g.groups), as_int(grad_.channel()), image_.channel());
    sum_.launch(queue, {as_size(columns), as_size(g.k), 1}, {sum_width_, 1, 1}, at(partial_at_), o.w, as_int(chunks_), as_int(g.k),
                as_int(columns), as_int(g.r), as_int(g.s), g.w_strides);
  }

 private:
  ConvGeometry geometry_;
  Padded image_, grad_;
  std::unique_ptr<Buffer> table_;
  int64_t rows_ = 0, channels_ = 0, taps_ = 0, chunk_ = 1, chunks_ = 1, item_bytes_ = 4, grad_at_ = 0, partial_at_ = 0;
  size_t sum_width_ = 1;
  Kernel pad_, dot_, sum_;
};

}  // namespace

std::unique_ptr<Conv> make_tile_conv(Device& device, const ConvGeometry& geometry, const Tuning& tuning) {
  return std::make_unique<TileConv>(device, geometry, false, tuning);
}
std::unique_ptr<Conv> make_tile_conv_grad_input(Device& device, const ConvGeometry& geometry, const Tuning& tuning) {
  return std::make_unique<TileConv>(device, geometry, true, tuning);
}
std::unique_ptr<Conv> make_tile_conv_grad_weight(Device& device, const ConvGeometry& geometry, const Tuning& tuning) {
  return std::make_unique<TileConvGradWeight>(device, geometry, tuning);
}

}  // namespace oncilla::ocl
