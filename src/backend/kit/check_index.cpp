// What scans, sorts and indexed ops demand.
#include "kit/check.hpp"

namespace oncilla::kit::rules {

void scan(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void sort(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void top_k(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void compact(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void search_sorted(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void scatter(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }
void embedding_bag(const Rules& r) { support(false, "[", r.desc.name(), "] is not served yet"); }

}  // namespace oncilla::kit::rules
