// The direct variants: one kernel over the tensors as they are.
#include <algorithm>
#include <utility>

#include "conv/conv.hpp"

namespace oncilla::ocl {
namespace {

class DirectConv final : public Conv {
 public:
  DirectConv(Device& device, const ConvGeometry& geometry, Direction direction) : geometry_(geometry), direction_(direction) {
    const ConvGeometry& g = geometry;
    const char* file = direction == Direction::forward ? "conv.cl"
                       : direction == Direction::input ? "conv_grad_input.cl"
                                                       : "conv_grad_weight.cl";
    ending_ = ConvEnding(g, 1);
    kernel_ = device.kernel(file, "direct", g.defines().set("DIRECT", 1), ending_.prelude());
    items_ = direction == Direction::forward ? g.n * g.k * volume(g.out)
             : direction == Direction::input ? g.n * g.c * volume(g.in)
                                             : g.k * g.channels() * volume(g.window);
    local_.x = std::min<size_t>(64, device.max_work_group());
  }

  void run(onc_queue& queue, const ConvOperands& o) override {
    const ConvGeometry& g = geometry_;
    const auto sizes = g.sizes(), steps = g.steps();
    const Range global{static_cast<size_t>(items_)};
    const Index count{items_, g.wide};
    switch (direction_) {
      case Direction::forward:
        ending_.launch(kernel_, queue, global, local_, o, o.x, o.w, o.bias, o.y, sizes, steps, g.x_strides, g.w_strides,
                       g.bias_stride, g.y_strides, static_cast<cl_int>(g.has_bias()), count);
        break;
      case Direction::input:
        kernel_.launch(queue, global, local_, o.y, o.w, o.x, sizes, steps, g.y_strides, g.w_strides, g.x_strides, count);
        break;
      case Direction::weight:
        kernel_.launch(queue, global, local_, o.y, o.x, o.w, sizes, steps, g.y_strides, g.x_strides, g.w_strides, count);
        break;
    }
  }

 private:
  ConvGeometry geometry_;
  Direction direction_;
  int64_t items_;
  ConvEnding ending_;
  Kernel kernel_;
  Range local_;
};

}  // namespace

std::unique_ptr<Conv> make_direct_conv(Device& device, const ConvGeometry& geometry, Direction direction) {
  return std::make_unique<DirectConv>(device, geometry, direction);
}

}  // namespace oncilla::ocl
