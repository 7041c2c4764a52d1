// The depthwise variants: as many groups as input channels. kernels/conv_depthwise.cl says how they work.
#include <algorithm>
#include <utility>

#include "conv/padded.hpp"
#include "gemm/gemm.hpp"

namespace oncilla::ocl {
namespace {

// The geometry of one depth: the kernels walk the depths themselves.
ConvGeometry flat(ConvGeometry g) {
  g.in[0] = g.window[0] = g.out[0] = g.stride[0] = g.dilation[0] = 1;
  g.pad[0] = 0;
  return g;
}

// Outputs that a work-item computes at once, and the local memory that they take.
struct Block {
  Padded plane;     // of the source, for a block: size is that of a plane
  Size3 size{};     // outputs of a block (of each phase)
  Size3 outputs{};  // all of them
  int64_t slots = 1, slot = 0, elements = 0;

  Block(const ConvGeometry& geometry, Direction direction, int64_t vector, int64_t most_elements) {
    const ConvGeometry g = flat(geometry);
    const bool input = direction == Direction::input;
    plane = input ? padded_gradient(g) : padded_input(g);
    outputs = g.out;
    for (size_t d = 0; d < 3 && input; ++d) outputs[d] = ceil_div(g.in[d], g.stride[d]);
    // Phases may begin one further on than the first of them ends.
    Size3 halo{};
    for (size_t d = 1; d < 3; ++d) halo[d] = plane.size[d] - outputs[d] + (input ? 1 : 0);
    const int64_t weights = geometry.window[0] * volume(g.window);
    if (direction != Direction::weight) slots = geometry.window[0] * (input ? geometry.k / geometry.c : 1);
    const auto resize = [&](int64_t rows, int64_t columns) {
      size = {1, rows, columns};
      plane.size = {1, rows + halo[1], columns + halo[2]};
      slot = volume(plane.stride) * volume(plane.size);
      elements = slots * slot + 8 * vector + rows * plane.size[2] +
                 (direction == Direction::weight ? plane.size[2] + weights * vector : 0);
    };
    // Whole rows if they fit, and as many as fit; else a row in as few parts as fit.
    resize(1, outputs[2]);
    for (int64_t parts = 2; elements > most_elements && size[2] > vector; parts *= 2) resize(1, ceil_div(outputs[2], parts));
    int64_t least = 1, most = outputs[1];
    while (least < most) {
      const int64_t rows = (least + most + 1) / 2;
      resize(rows, size[2]);
      (elements <= most_elements ? least : most) = elements <= most_elements ? rows : rows - 1;
    }
    resize(least, size[2]);
  }
};

struct Shape {
  int64_t vector, item_bytes, wanted;
  Shape(const ConvGeometry& g, const Tuning& tuning)
      : vector(tile_vector_width(g.dtype, tuning.get("VB"))),
        item_bytes(g.dtype == ONC_F64 ? 8 : 4),
        wanted(tuning.get("LOCAL") / item_bytes) {}
};

class DepthwiseConv final : public Conv {
 public:
  DepthwiseConv(Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning)
      : geometry_(geometry),
        direction_(direction),
        shape_(geometry, tuning),
        block_(geometry, direction, shape_.vector, shape_.wanted) {
    const ConvGeometry& g = geometry_;
    Taps taps = direction == Direction::input ? gradient_taps(flat(g), block_.plane) : forward_taps(flat(g), block_.plane);
    phases_ = static_cast<int64_t>(taps.phases.size());
    if (direction == Direction::weight) taps.phases.clear();
    table_ = taps.upload(device);
    const Defines defines = g.defines().set("VW", shape_.vector);
    if (direction != Direction::weight) {
      ending_ = ConvEnding(g, shape_.vector);
      kernel_ = device.kernel("conv_depthwise.cl", "planes", defines, ending_.prelude());
      return;
    }
    kernel_ = device.kernel("conv_depthwise.cl", "dots", defines);
    sum_ = device.kernel("conv_depthwise.cl", "sum_chunks", defines);
    const int64_t wanted = 4 * static_cast<int64_t>(device.compute_units());
    chunk_ = ceil_div(g.n, std::min(g.n, ceil_div(wanted, g.k)));
    chunks_ = ceil_div(g.n, chunk_);
    sum_width_ = std::min<size_t>(32, device.max_work_group());
  }

  uint64_t workspace_bytes() const override {
    if (direction_ != Direction::weight) return 0;
    return static_cast<uint64_t>(chunks_ * geometry_.k * volume(geometry_.window) * shape_.item_bytes);
  }

  void run(onc_queue& queue, const ConvOperands& o) override {
    const ConvGeometry& g = geometry_;
    const auto sizes = g.sizes(), steps = g.steps();
    const Mem table{{table_.get(), 0}, sizeof(cl_int)};
    const Local local{static_cast<size_t>(block_.elements * shape_.item_bytes)};
    const Padded& plane = block_.plane;
    if (direction_ == Direction::weight) {
      const Mem partial{o.workspace, static_cast<uint32_t>(shape_.item_bytes)};
      kernel_.launch(queue, {as_size(g.k), as_size(chunks_), 1}, {1, 1, 1}, o.y, o.x, partial, table, sizes, steps, g.y_strides,
                     g.x_strides, rows_and_columns(plane.size), as_int(block_.slot), rows_and_columns(block_.size), as_int(chunk_),
                     local);
      sum_.launch(queue, {as_size(volume(g.window)), as_size(g.k), 1}, {sum_width_, 1, 1}, partial, o.y, o.x, o.w, sizes, steps,
                  g.y_strides, g.x_strides, g.w_strides, as_int(chunks_));
      return;
    }
    const bool input = direction_ == Direction::input;
    const int64_t row_blocks = ceil_div(block_.outputs[1], block_.size[1]);
    const int64_t column_blocks = ceil_div(block_.outputs[2], block_.size[2]);
    const Range items{as_size(row_blocks * column_blocks), as_size(g.c * (input ? g.in[0] : g.out[0])), as_size(g.n)};
    ending_.launch(kernel_, queue, items, {1, 1, 1}, o, input ? o.y : o.x, o.w, o.bias, input ? o.x : o.y, table, sizes, steps,
                   input ? g.y_strides : g.x_strides, g.w_strides, input ? g.x_strides : g.y_strides, g.bias_stride,
                   as_int(g.has_bias()), as_int(input ? 1 : 0), as_int(phases_), rows_and_columns(plane.before),
                   rows_and_columns(plane.stride), rows_and_columns(plane.size), as_int(block_.slot), as_int(row_blocks),
                   rows_and_columns(block_.size), local);
  }

 private:
  ConvGeometry geometry_;
  Direction direction_;
  Shape shape_;
  Block block_;
  std::unique_ptr<Buffer> table_;
  int64_t phases_ = 1, chunk_ = 1, chunks_ = 1;
  size_t sum_width_ = 1;
  ConvEnding ending_;
  Kernel kernel_, sum_;
};

}  // namespace

bool depthwise_fits(const Device& device, const ConvGeometry& g, Direction direction, const Tuning& tuning) {
  if (g.groups != g.c || !tile_fits(g, direction)) return false;
  const Shape shape(g, tuning);
  const Block block(g, direction, shape.vector, shape.wanted);
  return block.elements * shape.item_bytes <= static_cast<int64_t>(device.local_bytes());
}

std::unique_ptr<Conv> make_depthwise_conv(Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning) {
  return std::make_unique<DepthwiseConv>(device, geometry, direction, tuning);
}

}  // namespace oncilla::ocl
