// Cases of GRID_SAMPLE.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_grid_sample(Cases&) {}

}  // namespace oncilla::test
