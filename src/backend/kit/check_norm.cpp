// What normalisations and statistics demand.
#include "kit/check.hpp"

namespace oncilla::kit::rules {

void layer_norm(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void layer_norm_grad(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void group_norm(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void group_norm_grad(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void var_mean(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }

}  // namespace oncilla::kit::rules
