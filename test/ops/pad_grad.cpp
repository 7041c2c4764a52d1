// Cases of PAD_GRAD.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_pad_grad(Cases&) {}

}  // namespace oncilla::test
