#include "ops/pool.hpp"

#include <algorithm>
#include <array>

#include "ops/variants.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kOutputsPerItem = 2048;  // of the variants whose work-item walks memory

// What a maximum starts from.
const char* lowest(uint32_t dtype) {
  switch (dtype) {
    case ONC_I64:
      return "LONG_MIN";
    case ONC_I32:
      return "INT_MIN";
    case ONC_I16:
      return "SHRT_MIN";
    case ONC_I8:
      return "SCHAR_MIN";
    case ONC_U8:
      return "0";
    default:
      return "((T)-INFINITY)";
  }
}

class PoolPlan final : public onc_plan {
 public:
  PoolPlan(Device& device, kit::OpDesc parsed, PoolOp op)
      : onc_plan(std::move(parsed), 0), average_(op.average), wide_(wide_index(desc)) {
    const kit::Tensor& image = op.forward ? desc.input(0) : desc.output(0);   // [N, C, ...]
    const kit::Tensor& pooled = op.forward ? desc.output(0) : desc.input(0);  // [N, C, ...]
    const bool integers = op.forward && !op.average && kit::dtype_kind(image.dtype) != 'f';
    if (!integers) support_floating(device, desc, image.dtype);
    set_geometry(desc.attributes<onc_pool_attrs>(), image, pooled);
    for (const auto& tensor : desc.in) add_tensor(tensor);
    for (const auto& tensor : desc.out) add_tensor(tensor);
    info.flops = static_cast<uint64_t>(pooled.numel() * window_[0] * window_[1] * window_[2]);
    for (const auto& [at, stride] : tensors_) info.bytes += static_cast<uint64_t>(at->numel()) * kit::dtype_bytes(at->dtype);

    const int64_t planes = image.dims[0] * image.dims[1];
    const char* shape_class = planes >= 8 * static_cast<int64_t>(device.compute_units()) ? "many" : "few";
    const bool sums_in_place = image.dtype == ONC_F32 || image.dtype == ONC_F64;
    const std::string variant = op.forward ? choose_variant(device, desc, image.dtype, shape_class, {{"direct"}, {"rows"}}, info)
                                           : choose_variant(device, desc, image.dtype, shape_class,
                                                            {{"gather"}, {"plane", sums_in_place, "float32 or float64"}}, info);
    if (variant == "rows" || variant == "plane") {
      work_ = op.forward ? planes * size_[3] * size_[4] : planes;
      const int64_t busy = std::max<int64_t>(1, std::min(work_, 16 * static_cast<int64_t>(device.compute_units())));
      const int64_t items = std::clamp<int64_t>(image.numel() / kOutputsPerItem, 1, busy);
      per_item_ = (work_ + items - 1) / items;
      global_.x = static_cast<size_t>(per_item_ > 0 ? (work_ + per_item_ - 1) / per_item_ : 0);
    } else {
      work_ = op.forward ? pooled.numel() : image.numel();
      global_.x = static_cast<size_t>(work_);
      local_.x = group_size(device, 64);
    }
    if (work_ == 0) return;
    Defines defines;
    set_storage(defines, image.dtype);
    set_index(defines, wide_);
    if (op.forward) defines.set("MASK", kit::dtype_bytes(image.dtype) == 8 ? "long" : "int");
    if (op.forward && !op.average) defines.set("LOWEST", lowest(image.dtype));
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
      arguments.add(size_).add(window_).add(channels_).add(Index{work_, wide_}).add(Index{per_item_, wide_});
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
  // Spatial dims that the op lacks are padded in front: sizes, window, stride and dilation 1.
  void set_geometry(const onc_pool_attrs& attrs, const kit::Tensor& image, const kit::Tensor& pooled) {
    const size_t rank = attrs.spatial_rank, skip = 3 - rank;
    std::fill_n(size_.begin(), 6, 1);
    std::fill_n(window_.begin(), 6, 1);
    std::fill_n(window_.begin() + 9, 3, 1);
    for (size_t i = 0; i < rank; ++i) {
      // The kernels add these up in 32 bits; the factor leaves room for every sum that they form.
      const int64_t extent = (attrs.kernel[i] - 1) * attrs.dilation[i] + 1;
      kit::support(attrs.kernel[i] < (1 << 24) && attrs.dilation[i] < (1 << 24) && attrs.stride[i] < (1 << 24), "[", desc.name(),
                   "] a window of ", attrs.kernel[i], " with stride ", attrs.stride[i], " and dilation ", attrs.dilation[i],
                   " exceeds 24 bits");
      small(desc, 8 * (image.dims[2 + i] + extent + attrs.stride[i] + attrs.pad[i]));
      size_[skip + i] = static_cast<int32_t>(image.dims[2 + i]);
      size_[3 + skip + i] = static_cast<int32_t>(pooled.dims[2 + i]);
      window_[skip + i] = static_cast<int32_t>(attrs.kernel[i]);
      window_[3 + skip + i] = static_cast<int32_t>(attrs.stride[i]);
      window_[6 + skip + i] = static_cast<int32_t>(attrs.pad[i]);
      window_[9 + skip + i] = static_cast<int32_t>(attrs.dilation[i]);
    }
    channels_ = small(desc, image.dims[1]);
    include_pad_ = static_cast<int32_t>(attrs.count_include_pad);
    divisor_override_ = static_cast<double>(attrs.divisor_override);
  }

  void add_tensor(const std::optional<kit::Tensor>& tensor) {
    if (!tensor) return;
    tensors_.push_back({&*tensor, {}});
    auto& strides = tensors_.back().second;
    std::copy_n(tensor->strides.begin(), 2, strides.begin());
    std::copy(tensor->strides.begin() + 2, tensor->strides.end(), strides.begin() + 7 - tensor->rank());
  }

  const bool average_, wide_;
  bool double_ = false;
  std::array<int32_t, 8> size_{};
  std::array<int32_t, 16> window_{};
  int32_t channels_ = 1, include_pad_ = 0;
  int64_t work_ = 0, per_item_ = 1;
  double divisor_override_ = 0;
  std::vector<std::pair<const kit::Tensor*, SpaceStrides>> tensors_;  // of desc: present ones, inputs then outputs
  Range global_, local_;
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_pool_plan(Device& device, kit::OpDesc desc, PoolOp op) {
  return std::make_unique<PoolPlan>(device, std::move(desc), op);
}

}  // namespace oncilla::ocl
