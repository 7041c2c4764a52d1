// LAYER_NORM: see normalize.hpp.
#include "normalize.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_layer_norm(kit::OpDesc desc) {
  const auto flops = static_cast<uint64_t>(desc.input(0).numel() * 8);
  const bool rms = desc.attributes<onc_layer_norm_attrs>().rms != 0;
  return make_plan(std::move(desc), flops,
                   [rms](const Call& call) { normalize(call, layer_slices(call.desc(), call.desc().input(0).dims), rms); });
}

}  // namespace oncilla::reference
