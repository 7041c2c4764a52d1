// From an op's number to its maker: one line an op, from ops.def.
#include "ops/ops.hpp"

namespace oncilla::ocl {

std::unique_ptr<onc_plan> Device::plan(kit::OpDesc desc) {
  switch (desc.op) {
#define ONC_OP(number, NAME, name, ...) \
  case ONC_OP_##NAME:                   \
    return make_##name(*this, std::move(desc));
#include "oncilla/ops.def"
#undef ONC_OP
    default:
      throw kit::Error(ONC_UNIMPLEMENTED, kit::cat("[plan_create] op ", desc.op, " is not known to this plugin"));
  }
}

}  // namespace oncilla::ocl
