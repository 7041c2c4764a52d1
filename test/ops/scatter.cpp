// Cases of SCATTER.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_scatter(Cases&) {}

}  // namespace oncilla::test
