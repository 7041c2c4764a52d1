// Cases of PAD.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_pad(Cases&) {}

}  // namespace oncilla::test
