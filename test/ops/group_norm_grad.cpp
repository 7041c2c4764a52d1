// Cases of GROUP_NORM_GRAD.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_group_norm_grad(Cases&) {}

}  // namespace oncilla::test
