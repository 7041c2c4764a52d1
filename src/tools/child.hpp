// Runs this program once more with other arguments, because what a driver does to a process must not happen to the one that reports
// it.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace oncilla::tools {

struct Ended {
  std::string how;     // "" for status 0 to 2, else what became of it: a signal, or the limit
  int status = -1;     // that it ended with, if it did
  std::string errors;  // the end of what it wrote to standard error
};

// Calls `line` for each line that the child prints. It is ended where it prints nothing for `limit` seconds. Throws
// std::runtime_error if it cannot begin.
Ended run_child(const std::vector<std::string>& arguments, double limit, const std::function<void(const std::string&)>& line);

}  // namespace oncilla::tools
