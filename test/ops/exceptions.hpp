// Runs that fail because an OpenCL implementation is wrong, and not a kernel: a list that a run is given (--exceptions FILE). An
// excused run still runs; if it passes, that is a failure, so that the list cannot outlive what it excuses.
#pragma once

#include <string>
#include <vector>

#include "ops/cases.hpp"
#include "ops/harness.hpp"

namespace oncilla::test {

struct Subject;

class Exceptions {
 public:
  // Reads a JSON array of objects with the members of Row, all strings. "": no file, no row. Throws std::invalid_argument.
  explicit Exceptions(const std::string& file);
  // Makes a failure that a row excuses `excused`, with the row's proof in its message, and a success that a row excuses `failed`.
  void apply(const Subject& subject, const Case& c, Result& result) const;
  // What is wrong with the list itself: rows for this implementation that name no case of the tables. One sentence each.
  std::vector<std::string> stale(const Subject& subject, const Cases& all) const;

 private:
  struct Row {
    std::string implementation;  // part of the device's or the driver's name
    std::string op, match;       // an op, and part of the case's name
    std::string variant;         // "": every one, and a case that fails before it has any
    std::string proof;           // where it is shown that the implementation is wrong
  };
  static bool concerns(const Row& row, const Subject& subject);
  std::vector<Row> rows_;
};

}  // namespace oncilla::test
