// What a conformance run prints: failures as they come, then a table by op, then `N passed, M failed`, with `, K excused` where
// a list of exceptions excused some.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ops/conformance.hpp"
#include "ops/exceptions.hpp"
#include "ops/harness.hpp"

namespace oncilla::test {

// The device under test, as its plugin describes it.
struct Subject {
  std::string plugin, device, driver;
};

class Report {
 public:
  Report(const Options& options, size_t total);
  void subject(const Subject& subject) { subject_ = subject; }
  void starting(const Case& c);
  // All results of a case: one a variant, or one that says why there is none.
  void add(const Case& c, std::vector<Result> results);
  void programs(uint64_t built, uint64_t cached) { built_ += built, cached_ += cached; }
  // A row of the list of exceptions that names none of these is a failure too.
  void check_exceptions(const Cases& all);
  // A failure that belongs to no case.
  void trouble(const std::string& what);
  // Prints the table and the sums, writes the file; gives the exit status.
  int finish();

 private:
  struct Row {
    size_t cases = 0, runs = 0, passed = 0, failed = 0, declined = 0, excused = 0;
    double seconds = 0, worst = 0;
    std::map<std::string, size_t> reasons;  // why declined, and how often
  };
  void clear_progress() const;
  void print_table(const Row& sum) const;
  void write_json(const Row& sum) const;

  const Options options_;
  const Exceptions exceptions_;
  bool progress_;
  size_t total_, started_ = 0, troubles_ = 0;
  uint64_t built_ = 0, cached_ = 0;
  Subject subject_;
  std::map<uint32_t, Row> rows_;  // by op
  std::vector<Result> results_;   // kept for the file only
};

}  // namespace oncilla::test
