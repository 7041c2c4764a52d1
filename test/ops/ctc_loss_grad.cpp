// Cases of CTC_LOSS_GRAD.
#include "ops/cases.hpp"

namespace oncilla::test {

void cases_ctc_loss_grad(Cases&) {}

}  // namespace oncilla::test
