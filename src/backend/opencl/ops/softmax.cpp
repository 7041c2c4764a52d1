// Softmax and log-softmax along an axis: kernels/softmax.cl.
#include "ops/ops.hpp"
#include "ops/softmax_plan.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_softmax(Device& device, kit::OpDesc desc) { return make_softmax_plan(device, std::move(desc), 5); }

}  // namespace oncilla::ocl
