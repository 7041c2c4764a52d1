// The conformance runner: chooses cases, runs them on a plugin, and prints a table by op. `oncilla conformance` and `test_ops` are
// this runner behind two command lines that differ in their defaults only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ops/cases.hpp"

namespace CLI {
class App;
}

namespace oncilla::test {

struct Options {
  std::string backend = "opencl", reference = "reference";  // a plugin's name, or a path, which holds a '/'
  uint32_t device = 0;                                      // of the plugin under test
  std::vector<std::string> ops, dtypes, matches, without;   // none: all; of without: none
  std::string level = "ci", variant, json, seeded;
  std::string exceptions;  // a file of runs that may fail (exceptions.hpp)
  size_t jobs = 1;         // processes side by side; 0: none but this one
  double limit = 300;      // seconds for one case, all its variants; only where it runs in a process of its own
  bool complete = false;   // a declined case counts as failed, unless it needs fp64 and the device has none
  bool wide = false;       // element positions in 64 bits everywhere
  size_t smallest = 0;     // of each kind, the cases with the fewest elements; 0: all
  double share = 1;        // of each kind, one case in so many, and the first
  bool separate = false;   // tensors in buffers of their own (harness.hpp)
  bool benchmark = false;  // time the cases instead of judging them
  size_t rounds = 15;      // of a benchmark
  bool gradients = false, list = false, quiet = false;
  std::string record;   // a file to which plans and launches are told instead (record.hpp)
  bool worker = false;  // this process takes cases from the one that started it (workers.hpp)
};

void add_options(CLI::App& app, Options& options);

// Does what the options say; prints, and closes with `N passed, M failed`. The exit status: 0, 1 for failures, 2 where nothing
// could run. Throws oncilla::Error and std::exception where there is nothing to run on.
int run_conformance(const Options& options);

// The name of the dtype of a case's first tensor.
const char* first_dtype(const Case& c);

// The cases that the options choose, the same ones in every process.
Cases chosen_cases(const Options& options);

}  // namespace oncilla::test
