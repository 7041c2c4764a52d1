// Variants forced from outside, for whoever compares them: every plan of an op that is looked up from now on is one of the variant
// of this name, in the whole process, since autograd runs backwards on threads of its own. Where nothing is forced it costs an op
// one relaxed load.
#pragma once

#include <cstdint>
#include <string>

namespace oncilla::forced {

// `op` is a name of ops.def (ONC_INVALID_ARGUMENT if it is none); an empty variant forces nothing any more.
void set(const std::string& op, const std::string& variant);
// How many plans were looked up under force since the process began.
uint64_t uses();

bool any();
std::string variant(uint32_t op);  // empty: none; counts a use otherwise

}  // namespace oncilla::forced
