// Sampling at coordinates: kernels/grid_sample.cl.
#include "ops/grid.hpp"
#include "ops/ops.hpp"

namespace oncilla::ocl {
namespace {

class GridSamplePlan final : public onc_plan {
 public:
  GridSamplePlan(Device& device, kit::OpDesc parsed)
      : onc_plan(std::move(parsed), 0), wide_(wide_index(desc)), geometry_(desc, desc.input(0), desc.output(0), wide_) {
    const kit::Tensor &x = desc.input(0), &grid = desc.input(1), &y = desc.output(0);
    support_floating(device, desc, x.dtype);
    choose_variant(device, desc, x.dtype, "", {{"direct"}}, info);
    info.flops = static_cast<uint64_t>(y.numel()) * 8;
    info.bytes = static_cast<uint64_t>(x.numel() + grid.numel() + y.numel()) * kit::dtype_bytes(x.dtype);
    if (y.numel() == 0) return;
    local_.x = group_size(device, 64);
    kernel_ = device.kernel("grid_sample.cl", "grid_sample", geometry_.defines);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // an empty output
    kernel_.launch(queue, {static_cast<size_t>(geometry_.places)}, local_, arg_in(desc, run, 0), arg_in(desc, run, 1),
                   arg_out(desc, run, 0), geometry_.size, geometry_.channels, geometry_.border, geometry_.align,
                   Index{geometry_.places, wide_}, image_strides(desc.input(0)), grid_strides(desc.input(1)),
                   image_strides(desc.output(0)));
  }

 private:
  const bool wide_;
  const GridGeometry geometry_;
  Range local_;
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_grid_sample(Device& device, kit::OpDesc desc) {
  return std::make_unique<GridSamplePlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
