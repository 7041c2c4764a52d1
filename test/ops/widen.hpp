// The cases of level full that no table spells out: each case of the tables again, with other memory layouts, other places in
// memory and other values.
#pragma once

#include "ops/cases.hpp"

namespace oncilla::test {

// Appends to the cases what can be derived from them. A derived case differs from its origin, and from every other, in tensors or
// values.
void widen(Cases& cases);

}  // namespace oncilla::test
