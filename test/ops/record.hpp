// Every case in every variant, planned and run once, without judging: for an OpenCL implementation that records the programs and
// computes nothing (test/recorder).
#pragma once

#include <string>

#include "ops/conformance.hpp"

namespace oncilla::test {

// Appends to options.record, before each plan, {"op", "variant", "chosen", "case", "dtype"}: what the lines that the implementation
// appends next belong to. chosen: whether the tuning rows take this variant; a declined case has "declined" instead of a variant.
// The exit status: 1 where a variant does not run.
int record_cases(const Cases& cases, const Options& options);

}  // namespace oncilla::test
