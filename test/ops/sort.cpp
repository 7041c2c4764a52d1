// Cases of SORT.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_sort(Cases&) {}

}  // namespace oncilla::test
