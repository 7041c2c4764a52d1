// The gradients of batch normalisation, in training and in inference mode: kernels/batch_norm_grad.cl.
#include "ops/channels.hpp"
#include "ops/ops.hpp"

namespace oncilla::ocl {
namespace {

class BatchNormGradPlan final : public onc_plan {
 public:
  BatchNormGradPlan(Device& device, kit::OpDesc parsed) : onc_plan(std::move(parsed), 0) {
    const kit::Tensor &grad_out = desc.input(0), &x = desc.input(1);
    support_floating(device, desc, x.dtype);
    info.flops = static_cast<uint64_t>(x.numel()) * 10;
    info.bytes = static_cast<uint64_t>(x.numel()) * (desc.has_out(0) ? 3 : 2) * kit::dtype_bytes(x.dtype);
    strides_ = channel_vector_strides(desc, {2, 3, 4}, {1, 2});
    // Without grad_in, x stands in for its strides: the kernel stores nothing there.
    const kit::Tensor& grad_in = desc.has_out(0) ? desc.output(0) : x;
    launch_.emplace(device, desc, std::initializer_list<const kit::Tensor*>{&grad_out, &x, &grad_in}, info);
    if (desc.attributes<onc_batch_norm_grad_attrs>().training != 0) launch_->defines().set("TRAINING", 1);
    set_parameters(launch_->defines(), desc, x.dtype, {2}, {1, 2});
    if (x.dims[1] > 0) kernel_ = device.kernel("batch_norm_grad.cl", "batch_norm_grad", launch_->defines());
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // no channels
    kernel_.launch_with(queue, launch_->global(), launch_->local(), [&](Kernel::Arguments& arguments) {
      for (size_t i = 0; i < 5; ++i) arguments.add(arg_in(desc, run, i));
      for (size_t i = 0; i < 3; ++i) arguments.add(arg_out(desc, run, i));
      launch_->add_to(arguments);
      arguments.add(strides_);
    });
  }

 private:
  std::array<int64_t, 8> strides_{};
  std::optional<ChannelLaunch> launch_;
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_batch_norm_grad(Device& device, kit::OpDesc desc) {
  return std::make_unique<BatchNormGradPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
