// The case tables as benchmarks: how long each variant of a plan takes beside the one that the plugin chooses, and how long the
// plugin takes beside the reference plugin. All of them take turns in one process, so that a disturbance of the machine meets all;
// only ratios are shown. Cases are small: where launching costs more than working, ratios say little.
#pragma once

#include <string>
#include <vector>

#include "ops/conformance.hpp"
#include "ops/session.hpp"

namespace oncilla::test {

struct Timing {
  std::string name, choice;  // of the case; of the variant that the plugin chooses
  // Medians over rounds.
  double reference = 0;  // the reference plugin's time as a multiple of the choice's
  struct Variant {
    std::string name;
    double time = 1;  // as a multiple of the choice's
  };
  std::vector<Variant> variants;
};

// Throws oncilla::Error where a plugin fails.
Timing time_case(const Case& c, Bench& tested, Bench& reference, size_t rounds);

// Times the cases, prints a line for each op and the choices that another variant beats most, writes the file. The exit status: 1
// where nothing could be timed.
int run_benchmark(const Cases& cases, const Options& options, Session& session);

}  // namespace oncilla::test
