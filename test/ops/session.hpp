// The two plugins of a run, opened: what a process needs to run cases.
#pragma once

#include <memory>
#include <vector>

#include "ops/conformance.hpp"
#include "ops/harness.hpp"
#include "ops/report.hpp"

namespace oncilla::test {

// A plugin by name, or by path, which holds a '/'.
std::shared_ptr<Backend> backend_of(const std::string& name);

class Session {
 public:
  // Opens the reference plugin, and the one under test if the options need it.
  explicit Session(const Options& options);
  Subject subject() const;  // empty where only the reference runs
  std::vector<Result> run(const Case& c);
  Bench& reference() { return *reference_; }
  Bench& tested() { return *tested_; }  // not where only the reference runs
  void programs(uint64_t& built, uint64_t& cached) const;

 private:
  const Options& options_;
  std::unique_ptr<Bench> reference_, tested_;
};

}  // namespace oncilla::test
