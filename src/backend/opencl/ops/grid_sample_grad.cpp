// The gradients of sampling at coordinates: kernels/grid_sample_grad.cl.
#include <algorithm>

#include "ops/grid.hpp"
#include "ops/ops.hpp"

namespace oncilla::ocl {
namespace {

class GridSampleGradPlan final : public onc_plan {
 public:
  GridSampleGradPlan(Device& device, kit::OpDesc parsed)
      : onc_plan(std::move(parsed), 0), wide_(wide_index(desc)), geometry_(desc, desc.input(1), desc.input(0), wide_) {
    const kit::Tensor &g = desc.input(0), &x = desc.input(1), &grid = desc.input(2);
    support_floating(device, desc, x.dtype);
    choose_variant(device, desc, x.dtype, "", {{"direct"}}, info);
    const size_t item = kit::dtype_bytes(x.dtype);
    info.flops = static_cast<uint64_t>(g.numel()) * 24;
    info.bytes = static_cast<uint64_t>(g.numel() + 2 * x.numel() + 2 * grid.numel()) * item;
    local_.x = group_size(device, 64);
    if (desc.has_out(0) && x.numel() > 0) {
      in_place_ = desc.output(0).contiguous() && item >= 4;
      if (!in_place_) info.workspace_bytes = static_cast<uint64_t>(x.numel()) * sum_bytes();
      // Neighbouring channels share their coordinates' taps, as far as the device has work enough.
      const int64_t busy = 16 * static_cast<int64_t>(device.compute_units()), channels = geometry_.channels;
      channels_per_item_ = static_cast<int32_t>(std::clamp<int64_t>(geometry_.planes / busy, 1, channels));
      items_ = x.dims[0] * ceil_div(channels, channels_per_item_);
      by_x_ = device.kernel("grid_sample_grad.cl", "grid_sample_grad_x", Defines(geometry_.defines).set("GRAD_X", 1));
    }
    if (desc.has_out(1) && geometry_.places > 0)
      by_grid_ = device.kernel("grid_sample_grad.cl", "grid_sample_grad_grid", geometry_.defines);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    const GridGeometry& at = geometry_;
    const Mem g = arg_in(desc, run, 0), x = arg_in(desc, run, 1), grid = arg_in(desc, run, 2);
    const SpaceStrides gs = image_strides(desc.input(0)), xs = image_strides(desc.input(1)), rs = grid_strides(desc.input(2));
    if (by_x_) {
      const Mem dx = arg_out(desc, run, 0), sum = in_place_ ? dx : Mem{run.workspace, sum_bytes()};
      by_x_.launch(queue, {static_cast<size_t>(items_)}, {1}, g, grid, dx, sum, at.size, at.channels, at.border, at.align,
                   Index{items_, wide_}, channels_per_item_, static_cast<int32_t>(in_place_), gs, rs,
                   image_strides(desc.output(0)));
    }
    if (by_grid_)
      by_grid_.launch(queue, {static_cast<size_t>(at.places)}, local_, g, x, grid, arg_out(desc, run, 1), at.size, at.channels,
                      at.border, at.align, Index{at.places, wide_}, gs, xs, rs, grid_strides(desc.output(1)));
  }

 private:
  uint32_t sum_bytes() const { return desc.input(1).dtype == ONC_F64 ? 8 : 4; }

  const bool wide_;
  const GridGeometry geometry_;
  bool in_place_ = false;
  int32_t channels_per_item_ = 1;
  int64_t items_ = 0;
  Range local_;
  Kernel by_x_, by_grid_;
};

}  // namespace

std::unique_ptr<onc_plan> make_grid_sample_grad(Device& device, kit::OpDesc desc) {
  return std::make_unique<GridSampleGradPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
