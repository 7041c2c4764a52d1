// Proof that the harness can fail: a plugin with one defect at a time (test/ops/faulty/faulty.cpp) must not pass.
#pragma once

#include <string>

#include "ops/harness.hpp"

namespace oncilla::test {

// Runs the cases against every defect and prints which are caught; the exit status is 0 only if all are.
int run_seeded(const Cases& cases, const std::string& plugin, Bench& reference);

}  // namespace oncilla::test
