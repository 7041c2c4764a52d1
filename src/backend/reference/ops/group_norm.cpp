// GROUP_NORM.
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_group_norm(kit::OpDesc desc) {
  throw kit::Error(ONC_UNIMPLEMENTED, kit::cat("[", desc.name(), "] is not served yet"));
}

}  // namespace oncilla::reference
