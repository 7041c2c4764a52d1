// The weight gradient by outer products: kernels/conv_grad_weight.cl says how.
#include <algorithm>

#include "conv/padded.hpp"
#include "gemm/gemm.hpp"

namespace oncilla::ocl {
namespace {

class OuterConvGradWeight final : public Conv {
 public:
  OuterConvGradWeight(Device& device, const ConvGeometry& geometry, const Tuning& tuning)
      : geometry_(geometry), image_(padded_input(geometry)) {
    const ConvGeometry& g = geometry_;
    const int64_t width = tile_vector_width(g.dtype, tuning.get("VB"));
    const int64_t rows = std::clamp<int64_t>(tuning.get("TM"), 1, kRowPanel);
    Taps taps = forward_taps(g, image_);
    taps.phases.clear();
    table_ = taps.upload(device);
    columns_ = 2 * width;
    row_tiles_ = ceil_div(g.rows(), rows);
    item_bytes_ = g.dtype == ONC_F64 ? 8 : 4;
    // The last column tile of the last group reads past the last channel.
    pitch_ = round_up(g.c, width) + columns_;
    places_ = volume(image_.stride) * volume(image_.size);
    const int64_t panel = rows <= 8 ? 8 : kRowPanel;  // ROW_PANEL of conv_grad_weight.cl
    places_at_ = round_up(g.groups * row_tiles_ * g.n * volume(g.out) * panel * item_bytes_, 64);
    bytes_ = places_at_ + g.n * places_ * pitch_ * item_bytes_;
    const Defines defines = g.defines().set("OUTER", 1).set("VW", width).set("TM", rows);
    pad_ = device.kernel("conv_grad_weight.cl", "pad_last", defines);
    pack_ = device.kernel("conv_grad_weight.cl", "pack_places", defines);
    tile_ = device.kernel("conv_grad_weight.cl", "outer_tile", defines);
  }

  uint64_t workspace_bytes() const override { return static_cast<uint64_t>(bytes_); }

  void run(onc_queue& queue, const ConvOperands& o) override {
    const ConvGeometry& g = geometry_;
    const Mem panels{o.workspace, static_cast<uint32_t>(item_bytes_)};
    Mem places = panels;
    places.at.offset += static_cast<uint64_t>(places_at_);
    pad_.launch(queue, {as_size(image_.size[0] * image_.size[1]), as_size(volume(image_.stride)), as_size(g.n)}, {1, 1, 1}, o.x,
                places, image_.strides, as_int4(image_.from), as_int4(image_.before), as_int4(image_.stride), as_int4(image_.size),
                as_int(g.c), as_int(pitch_));
    pack_.launch(queue, {as_size(row_tiles_), as_size(g.n), as_size(g.groups)}, {1, 1, 1}, o.y, panels, g.y_strides, as_int4(g.out),
                 as_int(g.rows()));
    const Range tiles{as_size(volume(g.window)), as_size(row_tiles_), as_size(ceil_div(g.channels(), columns_) * g.groups)};
    tile_.launch(queue, tiles, {1, 1, 1}, panels, places, o.y, o.x, o.w, Mem{{table_.get(), 0}, sizeof(cl_int)}, g.sizes(),
                 g.steps(), g.y_strides, g.x_strides, g.w_strides, as_int(pitch_), as_int(places_),
                 as_int(image_.size[1] * image_.size[2]), as_int(image_.size[2]));
  }

 private:
  ConvGeometry geometry_;
  Padded image_;
  std::unique_ptr<Buffer> table_;
  int64_t columns_ = 0, row_tiles_ = 0, item_bytes_ = 4, pitch_ = 0, places_ = 0, places_at_ = 0, bytes_ = 0;
  Kernel pad_, pack_, tile_;
};

}  // namespace

std::unique_ptr<Conv> make_outer_conv(Device& device, const ConvGeometry& geometry, const Tuning& tuning) {
  return std::make_unique<OuterConvGradWeight>(device, geometry, tuning);
}

}  // namespace oncilla::ocl
