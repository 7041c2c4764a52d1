// Cases of COMPACT.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_compact(Cases&) {}

}  // namespace oncilla::test
