// Cases of UPSAMPLE.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_upsample(Cases&) {}

}  // namespace oncilla::test
