// Cases of ADAPTIVE_AVG_POOL.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_adaptive_avg_pool(Cases&) {}

}  // namespace oncilla::test
