// Cases of LAYER_NORM_GRAD.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_layer_norm_grad(Cases&) {}

}  // namespace oncilla::test
