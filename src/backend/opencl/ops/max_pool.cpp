// Under construction.
#include "ops/ops.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_max_pool(Device&, kit::OpDesc) { throw kit::Error(ONC_UNIMPLEMENTED, "[max_pool] is under construction"); }

}  // namespace oncilla::ocl
