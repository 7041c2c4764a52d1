// What the CTC loss demands.
#include "kit/check.hpp"

namespace oncilla::kit::rules {

void ctc_loss(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void ctc_loss_grad(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }

}  // namespace oncilla::kit::rules
