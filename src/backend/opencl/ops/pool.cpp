#include "ops/pool.hpp"

#include <algorithm>
#include <array>

#include "ops/variants.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kOutputsPerItem = 2048;  // of the variants whose work-item walks memory

class PoolPlan final : public onc_plan {
 public:
  PoolPlan(Device& device, kit::OpDesc parsed, PoolOp op) : onc_plan(std::move(parsed), 0), average_(op.average) {
    const kit::Tensor& image = op.forward ? desc.input(0) : desc.output(0);   // [N, C, H, W]
    const kit::Tensor& pooled = op.forward ? desc.output(0) : desc.input(0);  // [N, C, P, Q]
    const auto attrs = desc.attributes<onc_pool_attrs>();
    support_float(device, desc, image.dtype);
    set_geometry(attrs, image, pooled);
    for (const auto& tensor : desc.in) add_tensor(tensor);
    for (const auto& tensor : desc.out) add_tensor(tensor);
    info.flops = static_cast<uint64_t>(pooled.numel() * attrs.kernel[0] * attrs.kernel[1]);
    for (const auto& [at, stride] : tensors_) info.bytes += static_cast<uint64_t>(at->numel()) * kit::dtype_bytes(at->dtype);

    const int64_t planes = image.dims[0] * image.dims[1];
    const char* shape_class = planes >= 8 * static_cast<int64_t>(device.compute_units()) ? "many" : "few";
    const std::string variant = op.forward ? choose_variant(device, desc, image.dtype, shape_class, {{"direct"}, {"rows"}}, info)
                                           : choose_variant(device, desc, image.dtype, shape_class, {{"gather"}, {"plane"}}, info);
    const bool walks = variant == "rows" || variant == "plane";
    if (walks) {
      const int64_t units = op.forward ? planes * pooled.dims[2] : planes;
      const int64_t busy = 16 * static_cast<int64_t>(device.compute_units());
      const int64_t items = std::clamp<int64_t>(image.numel() / kOutputsPerItem, 1, std::max<int64_t>(1, std::min(busy, units)));
      work_ = small(desc, units);
      per_item_ = static_cast<int32_t>((units + items - 1) / items);
      global_.x = static_cast<size_t>(per_item_ > 0 ? (units + per_item_ - 1) / per_item_ : 0);
    } else {
      work_ = small(desc, op.forward ? pooled.numel() : image.numel());
      global_.x = static_cast<size_t>(work_);
      local_.x = group_size(device, 64);
    }
    if (work_ == 0) return;
    Defines defines;
    defines.set("T", arithmetic_type(image.dtype)).set("MASK", image.dtype == ONC_F64 ? "long" : "int");
    if (variant == "rows") defines.set("ROWS", 1);
    if (variant == "plane") defines.set("PLANE", 1);
    if (op.forward && desc.has_out(1)) defines.set("INDEX", 1);
    double_ = image.dtype == ONC_F64;
    kernel_ = device.kernel(std::string(desc.name()) + ".cl", desc.name(), defines);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // an empty output
    kernel_.launch_with(queue, global_, local_, [&](Kernel::Arguments& arguments) {
      for (size_t i = 0; i < run.args.size(); ++i) {
        const auto& tensor = i < desc.in.size() ? desc.in[i] : desc.out[i - desc.in.size()];
        if (tensor) arguments.add(Mem{run.args[i], static_cast<uint32_t>(kit::dtype_bytes(tensor->dtype))});
      }
      arguments.add(size_).add(window_).add(channels_).add(work_).add(per_item_);
      for (const auto& [tensor, strides] : tensors_) arguments.add(strides);
      if (!average_) return;
      arguments.add(include_pad_);
      if (double_) {
        arguments.add(divisor_override_);
      } else {
        arguments.add(static_cast<float>(divisor_override_));
      }
    });
  }

 private:
  void set_geometry(const onc_pool_attrs& attrs, const kit::Tensor& image, const kit::Tensor& pooled) {
    for (size_t i = 0; i < 2; ++i) {
      // The kernels add these up in 32 bits; the factor leaves room for every sum that they form.
      const int64_t extent = (attrs.kernel[i] - 1) * attrs.dilation[i] + 1;
      kit::support(attrs.kernel[i] < (1 << 24) && attrs.dilation[i] < (1 << 24) && attrs.stride[i] < (1 << 24), "[", desc.name(),
                   "] a window of ", attrs.kernel[i], " with stride ", attrs.stride[i], " and dilation ", attrs.dilation[i],
                   " exceeds 24 bits");
      small(desc, 8 * (image.dims[2 + i] + extent + attrs.stride[i] + attrs.pad[i]));
      size_[i] = static_cast<int32_t>(image.dims[2 + i]);
      size_[2 + i] = static_cast<int32_t>(pooled.dims[2 + i]);
      window_[i] = static_cast<int32_t>(attrs.kernel[i]);
      window_[2 + i] = static_cast<int32_t>(attrs.stride[i]);
      window_[4 + i] = static_cast<int32_t>(attrs.pad[i]);
      window_[6 + i] = static_cast<int32_t>(attrs.dilation[i]);
    }
    small(desc, image.dims[2] * image.dims[3]);
    channels_ = small(desc, image.dims[1]);
    include_pad_ = static_cast<int32_t>(attrs.count_include_pad);
    divisor_override_ = static_cast<double>(attrs.divisor_override);
  }

  void add_tensor(const std::optional<kit::Tensor>& tensor) {
    if (!tensor) return;
    tensors_.push_back({&*tensor, {}});
    std::copy(tensor->strides.begin(), tensor->strides.end(), tensors_.back().second.begin());
  }

  const bool average_;
  bool double_ = false;
  std::array<int32_t, 4> size_{};
  std::array<int32_t, 8> window_{};
  int32_t channels_ = 1, work_ = 0, per_item_ = 1, include_pad_ = 0;
  double divisor_override_ = 0;
  std::vector<std::pair<const kit::Tensor*, std::array<int64_t, 4>>> tensors_;  // of desc: present ones, inputs then outputs
  Range global_, local_;
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_pool_plan(Device& device, kit::OpDesc desc, PoolOp op) {
  return std::make_unique<PoolPlan>(device, std::move(desc), op);
}

}  // namespace oncilla::ocl
