// Cases of FOREACH_NORM.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_foreach_norm(Cases&) {}

}  // namespace oncilla::test
