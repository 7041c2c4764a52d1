// One maker an op, named as in ops.def: a row without its ops/<name>.cpp does not link.
#pragma once

#include <memory>

#include "plan.hpp"

namespace oncilla::reference {

#define ONC_OP(number, NAME, name, ...) std::unique_ptr<onc_plan> make_##name(kit::OpDesc desc);
#include "oncilla/ops.def"
#undef ONC_OP

}  // namespace oncilla::reference
