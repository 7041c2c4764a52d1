// What padding, resampling and the pools with windows of unlike sizes demand.
#include "kit/check.hpp"

namespace oncilla::kit::rules {

void pad(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void pad_grad(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void upsample(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void upsample_grad(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void grid_sample(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void grid_sample_grad(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void adaptive_avg_pool(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void adaptive_avg_pool_grad(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void adaptive_max_pool(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void fractional_max_pool(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }

}  // namespace oncilla::kit::rules
