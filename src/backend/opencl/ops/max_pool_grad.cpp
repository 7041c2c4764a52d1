// Under construction.
#include "ops/ops.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_max_pool_grad(Device&, kit::OpDesc) { throw kit::Error(ONC_UNIMPLEMENTED, "[max_pool_grad] is under construction"); }

}  // namespace oncilla::ocl
