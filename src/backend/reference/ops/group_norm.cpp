// GROUP_NORM: see normalize.hpp.
#include "normalize.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_group_norm(kit::OpDesc desc) {
  const auto flops = static_cast<uint64_t>(desc.input(0).numel() * 8);
  return make_plan(std::move(desc), flops,
                   [](const Call& call) { normalize(call, group_slices(call.desc(), call.desc().input(0).dims), false); });
}

}  // namespace oncilla::reference
