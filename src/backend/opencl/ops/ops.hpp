// One maker an op, named as in ops.def: a row without its ops/<name>.cpp does not link. A maker chooses the variant, compiles, and
// returns the plan; it throws kit::Error (support()) for what it declines. desc is already validated by kit::parse.
#pragma once

#include <memory>

#include "kit/backend.hpp"
#include "runtime/device.hpp"

namespace oncilla::ocl {

#define ONC_OP(number, NAME, name, ...) std::unique_ptr<onc_plan> make_##name(Device& device, kit::OpDesc desc);
#include "oncilla/ops.def"
#undef ONC_OP

}  // namespace oncilla::ocl
