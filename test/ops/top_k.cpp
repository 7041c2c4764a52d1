// Cases of TOP_K.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_top_k(Cases&) {}

}  // namespace oncilla::test
