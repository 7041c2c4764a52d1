// `oncilla bench`: hands over to the comparison harness, which is Python because its opponents are. Python is the one of the
// environment that the command is installed in, or else the PATH's; it is given the rest of the command line as it is.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/command.hpp"

namespace oncilla::tools {
namespace {

// -P keeps the current folder off the module path: a stray torch.py there is not to be run.
constexpr const char* kStart = R"(
import importlib.util, sys
if importlib.util.find_spec("oncilla_bench") is None:
    print(f"oncilla: bench is a part of the Python package, and {sys.executable} has none: run scripts/setup and the command of that "
          "environment, or bench/run of a checkout", file=sys.stderr)
    sys.exit(2)
from oncilla_bench.cli import main
sys.exit(main())
)";

std::string python() {
  std::error_code ignored;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const std::filesystem::path beside = self.parent_path() / "python3";
  return !self.empty() && access(beside.c_str(), X_OK) == 0 ? beside.string() : "python3";
}

int hand_over(const std::vector<std::string>& rest) {
  std::vector<std::string> words{python(), "-P", "-c", kStart};
  words.insert(words.end(), rest.begin(), rest.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  std::fflush(nullptr);
  execvp(pointers[0], pointers.data());
  std::fprintf(stderr, "oncilla: bench needs Python 3.11 or newer, and %s cannot be run: %s\n", pointers[0], std::strerror(errno));
  return kUnusable;
}

void setup(CLI::App& app, std::function<int()>& run) {
  auto* command = app.add_subcommand("bench", "Time Oncilla beside PyTorch's CPU backend and others, and compare such runs");
  command->prefix_command();  // whatever follows is the harness's, --help too
  command->set_help_flag();
  command->callback([command, &run] { run = [command] { return hand_over(command->remaining()); }; });
}

const Command registered(setup);

}  // namespace
}  // namespace oncilla::tools
