// Cases of ATTENTION.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_attention(Cases&) {}

}  // namespace oncilla::test
