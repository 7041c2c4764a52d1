// The command line of the conformance runner.
#include <CLI/CLI.hpp>

#include "ops/conformance.hpp"

namespace oncilla::test {

void add_options(CLI::App& app, Options& options) {
  app.add_option("--backend,--plugin", options.backend, "Plugin under test: a name such as opencl, or the path of a shared object")
      ->capture_default_str();
  app.add_option("--reference", options.reference, "The oracle, likewise")->capture_default_str();
  app.add_option("--device", options.device, "Device of the plugin under test")->capture_default_str();
  app.add_option("--op", options.ops, "Only these ops, separated by commas")->delimiter(',');
  app.add_option("--dtype", options.dtypes, "Only cases whose first tensor has one of these dtypes")->delimiter(',');
  app.add_option("--case", options.matches, "Only cases whose name holds this text; may be repeated");
  app.add_option("--without", options.without, "No case whose name holds this text; may be repeated");
  app.add_option("--variant", options.variant, "Only this variant of each plan");
  app.add_option("--level", options.level,
                 "ci: the tables; full: also each case in other layouts, at other offsets, with other values")
      ->check(CLI::IsMember({"ci", "full"}))
      ->capture_default_str();
  app.add_option("--smallest", options.smallest,
                 "Only so many of the smallest cases of each kind (op, dtype and the first word of the name); 0: all")
      ->capture_default_str();
  app.add_option("--share", options.share,
                 "Only one case in so many of each kind, the first among them: for a second implementation, or a slow one")
      ->check(CLI::Range(1.0, 1000.0))
      ->capture_default_str();
  app.add_flag(
      "--separate", options.separate,
      "Every tensor in a buffer of exactly its size, outputs and workspace untouched, one run: for simulators that check memory");
  app.add_flag("--wide", options.wide, "Count elements in 64 bits, as tensors past 2^31 elements need (ONCILLA_WIDE_INDEX=1)");
  app.add_flag("--complete,!--partial", options.complete,
               "Whether declining a case is a failure (unless the case needs fp64 and the device has none), or only counted");
  app.add_option("--exceptions", options.exceptions,
                 "A list of runs that fail because an implementation is wrong: they must fail, and count as excused");
  app.add_flag("--gradients", options.gradients, "Instead: every backward against finite differences, on the reference");
  app.add_option("--seeded", options.seeded, "Instead: see that every defect of the faulty plugin at this path is caught");
  app.add_flag("--benchmark", options.benchmark,
               "Instead: time every case, its variants and the reference plugin in turns, in this process; prints ratios");
  app.add_option("--record", options.record,
                 "Instead: plan and run every case once in every variant and append what runs to this file, for test/recorder");
  app.add_option("--rounds", options.rounds, "Turns of a benchmark, of which medians are taken")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--jobs", options.jobs, "Processes side by side; 0: run in this one, for a debugger")->capture_default_str();
  app.add_option("--limit", options.limit, "Seconds that a case may take")->capture_default_str();
  app.add_flag("--list", options.list, "Print the names of the cases and stop");
  app.add_option("--json", options.json, "Write every result to this file");
  app.add_flag("--quiet", options.quiet, "No progress");
  app.add_flag("--worker", options.worker)->group("");
}

}  // namespace oncilla::test
