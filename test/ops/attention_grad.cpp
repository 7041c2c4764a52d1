// Cases of ATTENTION_GRAD.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_attention_grad(Cases&) {}

}  // namespace oncilla::test
