// The parts of the FOREACH table.
#pragma once

#include "ops/cases.hpp"

namespace oncilla::test {

void optimizer_cases(Cases& cases);  // every step of core/optimizers.hpp

}  // namespace oncilla::test
