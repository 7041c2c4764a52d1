// The `oncilla` command: parses the command line and runs one of the commands that the other files register.
#include <cstdio>
#include <exception>
#include <string>

#include "oncilla/oncilla.h"
#include "tools/command.hpp"

int main(int argc, char** argv) {
  using namespace oncilla::tools;

  CLI::App app("Trains neural networks on OpenCL devices. `oncilla COMMAND --help` explains a command.", "oncilla");
  app.set_version_flag("--version", "oncilla " ONC_VERSION " (plugin interface " + std::to_string(ONC_ABI_MAJOR) + "." +
                                        std::to_string(ONC_ABI_MINOR) + ")");
  app.require_subcommand(1);
  std::function<int()> run;
  for (const Setup setup : Command::all()) setup(app, run);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    const std::string unknown = app.get_subcommands().empty() && !app.remaining().empty() ? app.remaining().front() : "";
    const std::string what = unknown.empty() ? error.what() : "\"" + unknown + "\" is neither a command nor an option";
    std::fprintf(stderr, "oncilla: %s\n\n%s", what.c_str(), app.help().c_str());
    return kUnusable;
  }
  try {
    return run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "oncilla: %s\n", error.what());
    return kFailed;
  }
}
