// What `oncilla tune` times: the matrix products and convolutions of networks, read from the comparison harness's case files
// (bench/cases), which are embedded.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "ops/cases.hpp"

namespace oncilla::tools {

struct EmbeddedFile {
  const char* path;
  const char* text;
  size_t bytes;
};
std::span<const EmbeddedFile> bench_cases();

struct Workload {
  std::string line;  // as it stands in the file: "conv dir=fwd n=4 c=64 h=56 k=64 r=1"
  test::Case run;
};

// All of them, in the order of the files and the same in every process; those of float32 again in each further dtype.
std::vector<Workload> workloads(const std::vector<std::string>& dtypes);

// The ops and dtypes that have some.
const std::vector<std::string>& tuned_ops();
const std::vector<std::string>& tuned_dtypes();

}  // namespace oncilla::tools
