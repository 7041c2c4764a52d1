// Training-mode batch normalisation: kernels/batch_norm.cl.
#include "ops/channels.hpp"
#include "ops/ops.hpp"

namespace oncilla::ocl {
namespace {

class BatchNormPlan final : public onc_plan {
 public:
  BatchNormPlan(Device& device, kit::OpDesc parsed) : onc_plan(std::move(parsed), 2) {
    const kit::Tensor& x = desc.input(0);
    support_floating(device, desc, x.dtype);
    info.flops = static_cast<uint64_t>(x.numel()) * 8;
    info.bytes = static_cast<uint64_t>(x.numel()) * 2 * kit::dtype_bytes(x.dtype);
    strides_ = channel_vector_strides(desc, {1, 2, 3, 4}, {1, 2, 3, 4});
    launch_.emplace(device, desc, std::initializer_list<const kit::Tensor*>{&x, &desc.output(0)}, info);
    set_parameters(launch_->defines(), desc, x.dtype, {1, 2, 3, 4}, {3, 4});
    if (x.dims[1] > 0) kernel_ = device.kernel("batch_norm.cl", "batch_norm", launch_->defines());
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // no channels
    kernel_.launch_with(queue, launch_->global(), launch_->local(), [&](Kernel::Arguments& arguments) {
      for (size_t i = 0; i < 5; ++i) arguments.add(arg_in(desc, run, i));
      for (size_t i = 0; i < 5; ++i) arguments.add(arg_out(desc, run, i));
      launch_->add_to(arguments);
      arguments.add(strides_);
      for (const onc_scalar& scalar : run.scalars) add_real(arguments, desc.input(0).dtype, scalar.f);
    });
  }

 private:
  std::array<int64_t, 8> strides_{};
  std::optional<ChannelLaunch> launch_;
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_batch_norm(Device& device, kit::OpDesc desc) {
  return std::make_unique<BatchNormPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
