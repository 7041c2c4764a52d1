// Cases of SCAN.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_scan(Cases&) {}

}  // namespace oncilla::test
