// GROUP_NORM_GRAD: see normalize.hpp.
#include "normalize.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_group_norm_grad(kit::OpDesc desc) {
  const auto flops = static_cast<uint64_t>(desc.input(1).numel() * 16);
  return make_plan(std::move(desc), flops,
                   [](const Call& call) { normalize_grad(call, group_slices(call.desc(), call.desc().input(1).dims), false); });
}

}  // namespace oncilla::reference
