// `oncilla conformance`: the op tests on any plugin, judged by the reference plugin. What a plugin declines is counted and shown
// with the plugin's reasons; `--complete` makes it a failure.
#include "ops/conformance.hpp"

#include <cstdio>
#include <exception>

#include "tools/command.hpp"

namespace oncilla::tools {
namespace {

int run_or_explain(const test::Options& options) {
  try {
    return test::run_conformance(options);
  } catch (const std::exception& error) {  // what fails in a case is counted; this is a plugin or a device that is not there
    std::fprintf(stderr, "oncilla: %s\n", error.what());
    return kUnusable;
  }
}

void setup(CLI::App& app, std::function<int()>& run) {
  auto* command = app.add_subcommand("conformance", "Run the op tests on a plugin and compare with the reference plugin");
  static test::Options options;
  test::add_options(*command, options);
  command->callback([&run] { run = [] { return run_or_explain(options); }; });
}

const Command registered(setup);

}  // namespace
}  // namespace oncilla::tools
