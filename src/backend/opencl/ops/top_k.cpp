// The first k of the sorted order: ops/radix.hpp.
#include "ops/ops.hpp"
#include "ops/radix.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_top_k(Device& device, kit::OpDesc desc) { return make_sort_plan(device, std::move(desc)); }

}  // namespace oncilla::ocl
