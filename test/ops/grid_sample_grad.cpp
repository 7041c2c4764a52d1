// Cases of GRID_SAMPLE_GRAD.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_grid_sample_grad(Cases&) {}

}  // namespace oncilla::test
