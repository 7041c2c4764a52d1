// Cases of CTC_LOSS.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_ctc_loss(Cases&) {}

}  // namespace oncilla::test
