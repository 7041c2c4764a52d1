// test_ops: the conformance runner as a build without the `oncilla` command has it. Here a plugin that declines a case has failed.
#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "ops/conformance.hpp"

int main(int argc, char** argv) {
  oncilla::test::Options options;
  options.complete = true;
  CLI::App app("Runs every op's case table on a plugin and compares with the reference plugin.", "test_ops");
  oncilla::test::add_options(app, options);
  try {
    app.parse(argc, argv);
    return oncilla::test::run_conformance(options);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << "test_ops: " << error.what() << "\n";
    return 2;
  }
}
