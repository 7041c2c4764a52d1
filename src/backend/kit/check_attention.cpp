// What attention demands.
#include "kit/check.hpp"

namespace oncilla::kit::rules {

void attention(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void attention_grad(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }

}  // namespace oncilla::kit::rules
