// Cases of GROUP_NORM.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_group_norm(Cases&) {}

}  // namespace oncilla::test
