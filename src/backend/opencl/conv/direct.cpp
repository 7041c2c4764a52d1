// The direct variants: one kernel over the tensors as they are.
#include <algorithm>
#include <utility>

#include "conv/conv.hpp"

namespace oncilla::ocl {
namespace {

enum class Direction { forward, input, weight };

class DirectConv final : public Conv {
 public:
  DirectConv(Device& device, const ConvGeometry& geometry, Direction direction) : geometry_(geometry), direction_(direction) {
    const ConvGeometry& g = geometry;
    Defines defines;
    defines.set("DIRECT", 1).set("T", g.dtype == ONC_F64 ? "double" : "float");
    const char* file = direction == Direction::forward ? "conv.cl"
                       : direction == Direction::input ? "conv_grad_input.cl"
                                                       : "conv_grad_weight.cl";
    kernel_ = device.kernel(file, "direct", defines);
    const int64_t items = direction == Direction::forward ? g.n * g.k * g.p * g.q
                          : direction == Direction::input ? g.n * g.c * g.h * g.w
                                                          : g.k * (g.c / g.groups) * g.r * g.s;
    global_.x = static_cast<size_t>(items);
    local_.x = std::min<size_t>(64, device.max_work_group());
  }

  void run(onc_queue& queue, const ConvOperands& o) override {
    const ConvGeometry& g = geometry_;
    const auto packed = g.packed();
    switch (direction_) {
      case Direction::forward:
        kernel_.launch(queue, global_, local_, o.x, o.w, o.bias, o.y, packed, g.x_strides, g.w_strides, Strides4{g.bias_stride},
                       g.y_strides, static_cast<cl_int>(g.has_bias));
        break;
      case Direction::input:
        kernel_.launch(queue, global_, local_, o.y, o.w, o.x, packed, g.y_strides, g.w_strides, g.x_strides);
        break;
      case Direction::weight:
        kernel_.launch(queue, global_, local_, o.y, o.x, o.w, packed, g.y_strides, g.x_strides, g.w_strides);
        break;
    }
  }

 private:
  ConvGeometry geometry_;
  Direction direction_;
  Kernel kernel_;
  Range global_, local_;
};

}  // namespace

std::unique_ptr<Conv> make_direct_conv(Device& device, const ConvGeometry& geometry) {
  return std::make_unique<DirectConv>(device, geometry, Direction::forward);
}
std::unique_ptr<Conv> make_direct_conv_grad_input(Device& device, const ConvGeometry& geometry) {
  return std::make_unique<DirectConv>(device, geometry, Direction::input);
}
std::unique_ptr<Conv> make_direct_conv_grad_weight(Device& device, const ConvGeometry& geometry) {
  return std::make_unique<DirectConv>(device, geometry, Direction::weight);
}

}  // namespace oncilla::ocl
