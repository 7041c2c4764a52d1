// The order of SORT and TOP_K: NaN counts as greatest, -0 and +0 are equal, equals keep their order.
#pragma once

#include <memory>

#include "plan.hpp"

namespace oncilla::reference {

// The first of each row in that order, as many as the outputs hold: all of them for SORT.
std::unique_ptr<onc_plan> make_ordered(kit::OpDesc desc);

}  // namespace oncilla::reference
