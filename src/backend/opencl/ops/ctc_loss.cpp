// The CTC loss and its forward variable: kernels/ctc_loss.cl.
#include "ops/ops.hpp"
#include "ops/variants.hpp"

namespace oncilla::ocl {
namespace {

class CtcLossPlan final : public onc_plan {
 public:
  CtcLossPlan(Device& device, kit::OpDesc parsed) : onc_plan(std::move(parsed), 0), wide_(wide_index(desc)) {
    const kit::Tensor& log_prob = desc.input(0);
    support_floating(device, desc, log_prob.dtype);
    info.flops = static_cast<uint64_t>(desc.output(1).numel()) * 16;
    info.bytes = static_cast<uint64_t>(desc.output(1).numel()) * arithmetic_bytes(log_prob.dtype) * 2;
    const std::string variant = choose_variant(device, desc, log_prob.dtype, "", {{"item"}, {"group"}}, info);
    Defines defines;
    set_storage(defines, log_prob.dtype);
    set_index(defines, wide_);
    const auto batch = static_cast<size_t>(log_prob.dims[1]);
    if (variant == "group") {
      local_.x = group_size(device, 64);
      defines.set("GROUP", static_cast<int64_t>(local_.x));
    }
    global_.x = batch * local_.x;
    if (batch > 0) kernel_ = device.kernel("ctc_loss.cl", "ctc_loss", defines);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // no samples
    kernel_.launch_with(queue, global_, local_, [&](Kernel::Arguments& arguments) {
      for (size_t i = 0; i < 4; ++i) arguments.add(arg_in(desc, run, i));
      for (size_t i = 0; i < 2; ++i) arguments.add(arg_out(desc, run, i));
      for (int64_t size : desc.input(0).dims) arguments.add(Index{size, wide_});
      arguments.add(Index{desc.input(1).dims[1], wide_}).add(desc.attributes<onc_ctc_attrs>().blank);
      for (size_t i = 0; i < 4; ++i) {
        for (int64_t stride : desc.input(i).strides) arguments.add(stride);
      }
      for (size_t i = 0; i < 2; ++i) {
        for (int64_t stride : desc.output(i).strides) arguments.add(stride);
      }
    });
  }

 private:
  const bool wide_;
  Range global_, local_;
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_ctc_loss(Device& device, kit::OpDesc desc) {
  return std::make_unique<CtcLossPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
