// Cases of SEARCH_SORTED.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_search_sorted(Cases&) {}

}  // namespace oncilla::test
