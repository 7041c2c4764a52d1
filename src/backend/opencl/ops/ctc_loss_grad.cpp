// The gradient of the CTC loss: kernels/ctc_loss_grad.cl.
#include "ops/ops.hpp"
#include "ops/variants.hpp"

namespace oncilla::ocl {
namespace {

constexpr uint64_t kAlign = 64;  // of the parts of the workspace

class CtcLossGradPlan final : public onc_plan {
 public:
  CtcLossGradPlan(Device& device, kit::OpDesc parsed) : onc_plan(std::move(parsed), 0), wide_(wide_index(desc)) {
    const kit::Tensor &log_prob = desc.input(1), &log_alpha = desc.input(6);
    support_floating(device, desc, log_prob.dtype);
    info.flops = static_cast<uint64_t>(log_alpha.numel()) * 20 + static_cast<uint64_t>(log_prob.numel()) * 4;
    info.bytes = static_cast<uint64_t>(log_alpha.numel()) * arithmetic_bytes(log_prob.dtype) * 3 +
                 static_cast<uint64_t>(log_prob.numel()) * kit::dtype_bytes(log_prob.dtype) * 2;
    const std::string variant = choose_variant(device, desc, log_prob.dtype, "", {{"item"}, {"group"}}, info);
    Defines defines;
    set_storage(defines, log_prob.dtype);
    set_index(defines, wide_);
    const auto batch = static_cast<size_t>(log_prob.dims[1]), units = batch * static_cast<size_t>(log_prob.dims[0]);
    beta_global_.x = batch;
    global_.x = units;
    if (variant == "group") {
      beta_local_.x = local_.x = group_size(device, 64);
      defines.set("GROUP", static_cast<int64_t>(local_.x));
      beta_global_.x *= local_.x;
      global_.x *= local_.x;
    } else {
      local_.x = group_size(device, 16);
    }
    const uint64_t beta_bytes = static_cast<uint64_t>(log_alpha.numel()) * arithmetic_bytes(log_prob.dtype);
    next_bytes_ = wide_ ? 8 : 4;
    next_offset_ = (beta_bytes + kAlign - 1) / kAlign * kAlign;
    if (units == 0 || log_prob.dims[2] == 0) return;
    info.workspace_bytes = next_offset_ + static_cast<uint64_t>(desc.input(2).numel()) * next_bytes_;
    Defines beta = defines;
    beta_kernel_ = device.kernel("ctc_loss_grad.cl", "ctc_beta", beta.set("BETA", 1));
    if (desc.attributes<onc_ctc_attrs>().zero_infinity != 0) defines.set("ZERO_INFINITY", 1);
    kernel_ = device.kernel("ctc_loss_grad.cl", "ctc_loss_grad", defines);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // nothing to differentiate by
    const Mem beta{run.workspace, arithmetic_bytes(desc.input(1).dtype)},
        next{{run.workspace.buffer, run.workspace.offset + next_offset_}, next_bytes_};
    const auto add_samples = [&](Kernel::Arguments& arguments) {
      for (int64_t size : desc.input(1).dims) arguments.add(Index{size, wide_});
      arguments.add(Index{desc.input(2).dims[1], wide_}).add(desc.attributes<onc_ctc_attrs>().blank);
      for (size_t i = 1; i < 5; ++i) {
        for (int64_t stride : desc.input(i).strides) arguments.add(stride);
      }
    };
    beta_kernel_.launch_with(queue, beta_global_, beta_local_, [&](Kernel::Arguments& arguments) {
      for (size_t i = 1; i < 5; ++i) arguments.add(arg_in(desc, run, i));
      arguments.add(beta).add(next);
      add_samples(arguments);
    });
    kernel_.launch_with(queue, global_, local_, [&](Kernel::Arguments& arguments) {
      for (size_t i : {0, 1, 2, 3, 4, 6}) arguments.add(arg_in(desc, run, i));
      arguments.add(arg_out(desc, run, 0)).add(beta).add(next);
      add_samples(arguments);
      arguments.add(desc.input(0).strides[0]);
      for (int64_t stride : desc.input(6).strides) arguments.add(stride);
      for (int64_t stride : desc.output(0).strides) arguments.add(stride);
    });
  }

 private:
  const bool wide_;
  uint64_t next_offset_ = 0;
  uint32_t next_bytes_ = 4;
  Range beta_global_, beta_local_, global_, local_;
  Kernel beta_kernel_, kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_ctc_loss_grad(Device& device, kit::OpDesc desc) {
  return std::make_unique<CtcLossGradPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
