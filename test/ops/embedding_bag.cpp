// Cases of EMBEDDING_BAG.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_embedding_bag(Cases&) {}

}  // namespace oncilla::test
