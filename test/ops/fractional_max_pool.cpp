// Cases of FRACTIONAL_MAX_POOL.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_fractional_max_pool(Cases&) {}

}  // namespace oncilla::test
