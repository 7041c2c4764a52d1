// Convolution by 3 x 3 windows as 16 matrix products: kernels/conv_winograd.cl says how.
#include <algorithm>

#include "conv/padded.hpp"
#include "gemm/gemm.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kProducts = 16;
constexpr int64_t kBlock = 16;  // depths that a work-item turns to panels: neighbours in memory, or nearly

class WinogradConv final : public Conv {
 public:
  WinogradConv(Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning)
      : geometry_(geometry), input_(direction == Direction::input) {
    const ConvGeometry& g = geometry_;
    rows_ = input_ ? g.c : g.k, depth_ = input_ ? g.k : g.c;
    to_ = input_ ? g.in : g.out;
    width_ = tile_vector_width(g.dtype, tuning.get("VB"));
    image_ = {.images = g.n, .channels = depth_, .from = input_ ? g.out : g.in, .stride = {1, 2, 2}};
    for (size_t d = 1; d < 3; ++d) {
      image_.before[d] = input_ ? 2 - g.pad[d] : g.pad[d];
      image_.size[d] = ceil_div(to_[d], 2) + 1;
    }
    image_.end = 2 * width_;
    image_.strides = input_ ? g.y_strides : g.x_strides;
    tiles_ = (image_.size[1] - 1) * image_.size[2];
    item_bytes_ = g.dtype == ONC_F64 ? 8 : 4;
    const int64_t places = g.n * tiles_;
    const int64_t tile_rows = std::clamp<int64_t>(tuning.get("TM"), 1, kRowPanel);
    row_tiles_ = ceil_div(rows_, tile_rows);
    GemmProblem p{.dtype = g.dtype == ONC_F64 ? uint32_t{ONC_F64} : uint32_t{ONC_F32}, .batch = kProducts, .wide = g.wide};
    p.m = rows_, p.n = places, p.k = depth_;
    p.packed = true, p.a.batch = 1, p.b = {places, 1, depth_ * places}, p.d = {places, 1, rows_ * places};
    gemm_ = make_tile_gemm(device, p, tuning);
    const auto after = [&](int64_t at, int64_t elements) { return at + round_up(elements * item_bytes_, 64); };
    weights_at_ = after(0, image_.elements());
    sums_at_ = after(weights_at_, kProducts * row_tiles_ * kRowPanel * depth_);
    // The last vector of the sums ends in what follows: the inputs, without a gap, so that it reads nothing that was not written.
    inputs_at_ = sums_at_ + kProducts * rows_ * places * item_bytes_;
    gemm_at_ = after(inputs_at_, kProducts * depth_ * places);
    const Defines defines = g.defines().set("VW", width_).set("TM", tile_rows);
    // TM: of the program that the tile variant has, too.
    Defines of_tile = defines;
    pad_ = device.kernel("conv.cl", "pad", of_tile.set("TILE", 1).set("TM", 8));
    weights_ = device.kernel("conv_winograd.cl", "winograd_weights", defines);
    input_kernel_ = device.kernel("conv_winograd.cl", "winograd_input", defines);
    ending_ = ConvEnding(g, width_);
    output_ = device.kernel("conv_winograd.cl", "winograd_output", defines, ending_.prelude());
  }

  uint64_t workspace_bytes() const override { return static_cast<uint64_t>(gemm_at_) + gemm_->workspace_bytes(); }

  void run(onc_queue& queue, const ConvOperands& o) override {
    const ConvGeometry& g = geometry_;
    const auto at = [&](int64_t offset) {
      return Mem{{o.workspace.buffer, o.workspace.offset + static_cast<uint64_t>(offset)}, static_cast<uint32_t>(item_bytes_)};
    };
    const Mem image = at(0), weights = at(weights_at_), inputs = at(inputs_at_), sums = at(sums_at_);
    const Mem &from = input_ ? o.y : o.x, &to = input_ ? o.x : o.y;
    // The gradient's windows are turned by half a circle: from the last tap backwards.
    Mem w = o.w;
    std::array<int64_t, 4> w_strides{g.w_strides[0], g.w_strides[1], g.w_strides[3], g.w_strides[4]};
    if (input_) {
      w.at.offset += static_cast<uint64_t>(2 * (g.w_strides[3] + g.w_strides[4])) * w.item_bytes;
      w_strides = {g.w_strides[1], g.w_strides[0], -g.w_strides[3], -g.w_strides[4]};
    }
    launch_pad(pad_, queue, image_, from, image);
    weights_.launch(queue, {as_size(row_tiles_ * (kRowPanel / width_)), as_size(ceil_div(depth_, kBlock)), 1}, {1, 1, 1}, w,
                    w_strides, weights, as_int(rows_), as_int(depth_), as_int(kBlock));
    const cl_int height = as_int(image_.size[1]), width = as_int(image_.size[2]);
    input_kernel_.launch(queue, {as_size(depth_), as_size(g.n), 1}, {1, 1, 1}, image, inputs, as_int(depth_), height, width);
    GemmOperands operands{weights, inputs, {}, sums, {.f = 1}, {.f = 0}, o.workspace, {}, {}};
    operands.workspace.offset += static_cast<uint64_t>(gemm_at_);
    gemm_->run(queue, operands);
    const int64_t line = 2 * round_up(image_.size[2] - 1, width_);
    const Range items{as_size(image_.size[1] - 1), as_size(rows_), as_size(g.n)};
    ending_.launch(output_, queue, items, {1, 1, 1}, o, sums, from, w, w_strides, o.bias, to, as_int(depth_), height, width,
                   rows_and_columns(image_.from), rows_and_columns(image_.before), rows_and_columns(to_), image_.strides,
                   input_ ? g.x_strides : g.y_strides, g.bias_stride, as_int(g.has_bias()), as_int(line),
                   Local{as_size(2 * line * item_bytes_)});
  }

 private:
  ConvGeometry geometry_;
  bool input_;
  Padded image_;
  Size3 to_{};
  int64_t rows_ = 0, row_tiles_ = 0, depth_ = 0, width_ = 16, tiles_ = 0, item_bytes_ = 4, weights_at_ = 0, sums_at_ = 0,
          inputs_at_ = 0, gemm_at_ = 0;
  ConvEnding ending_;
  Kernel pad_, weights_, input_kernel_, output_;
  std::unique_ptr<Gemm> gemm_;
};

}  // namespace

bool winograd_fits(const Device& device, const ConvGeometry& g, Direction direction) {
  if (direction == Direction::weight || g.groups != 1 || !tile_fits(g, direction)) return false;
  if (g.in[0] != 1 || g.out[0] != 1 || g.pad[0] != 0 || g.window != Size3{1, 3, 3}) return false;
  if (g.stride != Size3{1, 1, 1} || g.dilation != Size3{1, 1, 1}) return false;
  // Two rows of the output in local memory, with as many columns more as a vector has.
  const int64_t columns = direction == Direction::input ? g.in[2] : g.out[2];
  return 2 * (columns + 64) * 8 <= static_cast<int64_t>(device.local_bytes());
}

std::unique_ptr<Conv> make_winograd_conv(Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning) {
  return std::make_unique<WinogradConv>(device, geometry, direction, tuning);
}

}  // namespace oncilla::ocl
