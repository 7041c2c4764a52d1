// The commands of `oncilla`. A command is one file: it defines a function that adds a subcommand to the parser, and registers it
// with a Command at namespace scope; main.cpp knows none of them by name.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <vector>

namespace oncilla::tools {

// What a command ends with. Scripts rely on the numbers.
enum Status : int {
  kOk = 0,
  kFailed = 1,    // it ran, and something in it went wrong
  kUnusable = 2,  // nothing to run on, or a wrong command line
};

// Adds a subcommand to `app` and sets `run` when the user chose it.
using Setup = void (*)(CLI::App& app, std::function<int()>& run);

class Command {
 public:
  explicit Command(Setup setup) { all().push_back(setup); }
  static std::vector<Setup>& all() {
    static std::vector<Setup> commands;
    return commands;
  }
};

}  // namespace oncilla::tools
