// EMBEDDING_BAG.
#include "ops/ops.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> make_embedding_bag(Device&, kit::OpDesc desc) {
  throw kit::Error(ONC_UNIMPLEMENTED, kit::cat("[", desc.name(), "] is not served yet"));
}

}  // namespace oncilla::ocl
