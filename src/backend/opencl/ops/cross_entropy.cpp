// Under construction.
#include "ops/ops.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_cross_entropy(Device&, kit::OpDesc) { throw kit::Error(ONC_UNIMPLEMENTED, "[cross_entropy] is under construction"); }

}  // namespace oncilla::ocl
