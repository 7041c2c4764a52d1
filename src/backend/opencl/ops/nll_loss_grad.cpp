// Under construction.
#include "ops/ops.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_nll_loss_grad(Device&, kit::OpDesc) { throw kit::Error(ONC_UNIMPLEMENTED, "[nll_loss_grad] is under construction"); }

}  // namespace oncilla::ocl
