// Autocast: torch.autocast("ocl") passes through what it has no rule for; the lists of rules are PyTorch's own.
#include <ATen/autocast_mode.h>
#include <torch/library.h>

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
#undef ONC_LOWER
#undef ONC_WIDER
#undef ONC_SET
#undef ONC_PROMOTE
}
