// Under construction.
#include "ops/ops.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_batch_norm_grad(Device&, kit::OpDesc) { throw kit::Error(ONC_UNIMPLEMENTED, "[batch_norm_grad] is under construction"); }

}  // namespace oncilla::ocl
