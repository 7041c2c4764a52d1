// COMPACT: positions of the true elements, then n.
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_compact(kit::OpDesc desc) {
  const auto flops = static_cast<uint64_t>(desc.input(0).numel());
  return make_plan(std::move(desc), flops, [](const Call& call) {
    const std::vector<int64_t> mask = call.read_int(0);
    const auto n = static_cast<int64_t>(mask.size());
    std::vector<int64_t> index;
    for (int64_t i = 0; i < n; ++i) {
      if (mask[static_cast<size_t>(i)] != 0) index.push_back(i);
    }
    const auto count = static_cast<int64_t>(index.size());
    index.resize(mask.size(), n);
    call.write_int(0, index);
    call.write_int(1, {count});
  });
}

}  // namespace oncilla::reference
