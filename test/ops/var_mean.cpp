// Cases of VAR_MEAN.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_var_mean(Cases&) {}

}  // namespace oncilla::test
