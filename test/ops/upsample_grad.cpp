// Cases of UPSAMPLE_GRAD.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_upsample_grad(Cases&) {}

}  // namespace oncilla::test
