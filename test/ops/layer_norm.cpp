// Cases of LAYER_NORM.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_layer_norm(Cases&) {}

}  // namespace oncilla::test
