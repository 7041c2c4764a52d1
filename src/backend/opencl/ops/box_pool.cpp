#include "ops/box_pool.hpp"

#include <algorithm>
#include <array>

#include "ops/variants.hpp"

namespace oncilla::ocl {
namespace {

class BoxPoolPlan final : public onc_plan {
 public:
  BoxPoolPlan(Device& device, kit::OpDesc parsed)
      : onc_plan(std::move(parsed), 0), fractional_(desc.op == ONC_OP_FRACTIONAL_MAX_POOL), wide_(wide_index(desc)) {
    const kit::Tensor &x = desc.input(0), &y = desc.output(0), &index = desc.output(1);
    support_floating(device, desc, x.dtype);
    choose_variant(device, desc, x.dtype, "", {{"direct"}}, info);
    info.flops = static_cast<uint64_t>(x.numel());
    info.bytes = static_cast<uint64_t>(x.numel() + y.numel()) * kit::dtype_bytes(x.dtype) + static_cast<uint64_t>(y.numel()) * 8;
    work_ = y.numel();
    if (work_ == 0) return;
    rank_ = static_cast<int32_t>(x.rank()) - 2;
    channels_ = small(desc, x.dims[1]);
    std::fill_n(size_.begin(), 6, 1);
    for (size_t i = 2; i < x.rank(); ++i) {
      size_[i + 3 - x.rank()] = small(desc, x.dims[i]);
      size_[i + 6 - x.rank()] = small(desc, y.dims[i]);
    }
    x_strides_ = strides(x);
    y_strides_ = strides(y);
    index_strides_ = strides(index);
    if (fractional_) {
      const auto attrs = desc.attributes<onc_fractional_pool_attrs>();
      taps_ = {1, 1, 1, 1};
      for (size_t i = 0; i < attrs.spatial_rank; ++i) taps_[3 - attrs.spatial_rank + i] = small(desc, attrs.kernel[i]);
      std::copy_n(desc.input(1).strides.begin(), 3, sample_strides_.begin());
    }
    Defines defines;
    set_storage(defines, x.dtype);
    set_index(defines, wide_);
    defines.set("LOWEST", "((T)-INFINITY)");
    local_.x = group_size(device, 64);
    kernel_ = device.kernel(std::string(desc.name()) + ".cl", desc.name(), defines);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // an empty output
    kernel_.launch_with(queue, {static_cast<size_t>(work_)}, local_, [&](Kernel::Arguments& arguments) {
      arguments.add(arg_in(desc, run, 0));
      if (fractional_) arguments.add(arg_in(desc, run, 1));
      arguments.add(arg_out(desc, run, 0)).add(arg_out(desc, run, 1)).add(size_);
      if (fractional_) arguments.add(taps_).add(rank_);
      arguments.add(channels_).add(Index{work_, wide_}).add(x_strides_);
      if (fractional_) arguments.add(sample_strides_);
      arguments.add(y_strides_).add(index_strides_);
    });
  }

 private:
  // Of N, C, depth, height, width; the rest is unused.
  static SpaceStrides strides(const kit::Tensor& tensor) {
    SpaceStrides strides{};
    std::copy_n(tensor.strides.begin(), 2, strides.begin());
    std::copy(tensor.strides.begin() + 2, tensor.strides.end(), strides.begin() + 7 - tensor.rank());
    return strides;
  }

  const bool fractional_, wide_;
  std::array<int32_t, 8> size_{};
  std::array<int32_t, 4> taps_{};
  std::array<int64_t, 4> sample_strides_{};
  int32_t rank_ = 0, channels_ = 1;
  int64_t work_ = 0;
  SpaceStrides x_strides_{}, y_strides_{}, index_strides_{};
  Range local_;
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_box_pool_plan(Device& device, kit::OpDesc desc) {
  return std::make_unique<BoxPoolPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
