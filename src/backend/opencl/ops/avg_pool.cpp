// Under construction.
#include "ops/ops.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_avg_pool(Device&, kit::OpDesc) { throw kit::Error(ONC_UNIMPLEMENTED, "[avg_pool] is under construction"); }

}  // namespace oncilla::ocl
