// Runs the case tables in several processes: compilers of OpenCL implementations use one core, and the kernels of the cases are
// many.
#pragma once

#include <string>
#include <vector>

#include "ops/cases.hpp"

namespace oncilla::test {

// The cases of part `index` of `count`. Cases whose names begin alike (up to the first blank) stay together, since they share
// kernels.
Cases shard(Cases cases, size_t index, size_t count);

// Runs this program `jobs` times with the given arguments and --shard i/jobs, each with a pocl cache of its own; passes on what
// they print, closes with the sums, and returns the exit status.
int run_jobs(const std::vector<std::string>& arguments, size_t jobs);

}  // namespace oncilla::test
