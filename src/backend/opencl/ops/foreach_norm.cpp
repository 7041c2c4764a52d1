// FOREACH_NORM.
#include "ops/ops.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_foreach_norm(Device&, kit::OpDesc desc) {
  throw kit::Error(ONC_UNIMPLEMENTED, kit::cat("[", desc.name(), "] is not served yet"));
}

}  // namespace oncilla::ocl
