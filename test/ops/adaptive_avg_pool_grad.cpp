// Cases of ADAPTIVE_AVG_POOL_GRAD.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_adaptive_avg_pool_grad(Cases&) {}

}  // namespace oncilla::test
