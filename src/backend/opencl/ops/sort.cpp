// Stable sort along an axis: ops/radix.hpp.
#include "ops/ops.hpp"
#include "ops/radix.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_sort(Device& device, kit::OpDesc desc) { return make_sort_plan(device, std::move(desc)); }

}  // namespace oncilla::ocl
