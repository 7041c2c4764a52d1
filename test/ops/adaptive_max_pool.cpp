// Cases of ADAPTIVE_MAX_POOL.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_adaptive_max_pool(Cases&) {}

}  // namespace oncilla::test
