// Autocast: torch.autocast("ocl") passes through what it has no rule for; the lists of rules are PyTorch's own, those of CUDA.
#include <ATen/autocast_mode.h>
#include <torch/library.h>

namespace oncilla::adapter {
namespace {

// The gradient of float16 or bfloat16 probabilities overflows; CUDA refuses the op in the same words.
at::Tensor banned_binary_cross_entropy(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, int64_t) {
  TORCH_CHECK(false,
              "torch.nn.functional.binary_cross_entropy and torch.nn.BCELoss are unsafe to autocast.\n"
              "Many models use a sigmoid layer right before the binary cross entropy layer.\n"
              "In this case, combine the two layers using torch.nn.functional.binary_cross_entropy_with_logits\n"
              "or torch.nn.BCEWithLogitsLoss.  binary_cross_entropy_with_logits and BCEWithLogits are\n"
              "safe to autocast.");
}

}  // namespace
}  // namespace oncilla::adapter

TORCH_LIBRARY_IMPL(_, AutocastPrivateUse1, m) { m.fallback(torch::CppFunction::makeFallthrough()); }

TORCH_LIBRARY_IMPL(aten, AutocastPrivateUse1, m) {
#define ONC_LOWER(...) KERNEL_PRIVATEUSEONE(__VA_ARGS__, lower_precision_fp)
#define ONC_WIDER(...) KERNEL_PRIVATEUSEONE(__VA_ARGS__, fp32)
#define ONC_SET(...) KERNEL_PRIVATEUSEONE(__VA_ARGS__, fp32_set_opt_dtype)
#define ONC_PROMOTE(...) KERNEL_PRIVATEUSEONE(__VA_ARGS__, promote)
  AT_FORALL_LOWER_PRECISION_FP(ONC_LOWER)
  AT_FORALL_FP32(ONC_WIDER)
  AT_FORALL_FP32_SET_OPT_DTYPE(ONC_SET)
  AT_FORALL_PROMOTE(ONC_PROMOTE)
  // PyTorch documents it among these; in CUDA's list it is not, so that its log-probabilities are rounded to halves there.
  ONC_WIDER(cross_entropy_loss)
  using namespace at;  // the next list has its names from there
  // The two norms without a dtype argument go to those that have one.
  AT_FORALL_DIFFERENT_REDISPATCH_SIGNATURE(KERNEL_DIFFERENT_REDISPATCH_SIGNATURE_PRIVATEUSEONE)
#undef ONC_LOWER
#undef ONC_WIDER
#undef ONC_SET
#undef ONC_PROMOTE
  m.impl("binary_cross_entropy", TORCH_FN(oncilla::adapter::banned_binary_cross_entropy));
}
