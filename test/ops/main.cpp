// test_ops: runs the case tables against a plugin and prints `N passed, M failed` as its last line. --help lists the options.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "ops/harness.hpp"
#include "ops/jobs.hpp"
#include "ops/seeded.hpp"

namespace oncilla::test {
namespace {

struct Options {
  std::string plugin = "opencl", reference = "reference", op, dtype, variant, json, seeded;
  std::vector<std::string> matches;  // of names; none: all
  uint32_t device = 0;
  size_t jobs = 1, shard = 0, shards = 1;
  bool list = false, quiet = false, gradients = false;
};

constexpr const char* kHelp =
    "test_ops [OPTION…]  runs every op's case table on a plugin and compares with the reference plugin\n"
    "  --plugin NAME|PATH     plugin under test (opencl)\n"
    "  --reference NAME|PATH  the oracle (reference)\n"
    "  --device N             device of the plugin under test (0)\n"
    "  --op NAME              only this op\n"
    "  --dtype NAME           only cases whose first present tensor has this dtype\n"
    "  --case SUBSTR          only cases whose name holds SUBSTR; may be repeated\n"
    "  --variant NAME         only this variant\n"
    "  --gradients            instead: check every backward against finite differences on the reference\n"
    "  --seeded PATH          instead: see that every defect of the faulty plugin at PATH is caught\n"
    "  --jobs N               run in N processes side by side\n"
    "  --shard I/N            only part I of N, from 0\n"
    "  --list                 print the names of the cases and stop\n"
    "  --json FILE            write one object a result\n"
    "  --quiet                no progress\n";

// Gives true where the program should go on.
bool parse(int argc, char** argv, Options& options, int& status) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 >= argc) throw std::invalid_argument(name + " needs a value");
      return argv[++i];
    };
    if (name == "--plugin")
      options.plugin = value();
    else if (name == "--reference")
      options.reference = value();
    else if (name == "--device")
      options.device = static_cast<uint32_t>(std::stoul(value()));
    else if (name == "--op")
      options.op = value();
    else if (name == "--dtype")
      options.dtype = value();
    else if (name == "--case")
      options.matches.push_back(value());
    else if (name == "--variant")
      options.variant = value();
    else if (name == "--json")
      options.json = value();
    else if (name == "--jobs")
      options.jobs = std::stoul(value());
    else if (name == "--shard") {
      const std::string text = value();
      if (std::sscanf(text.c_str(), "%zu/%zu", &options.shard, &options.shards) != 2 || options.shard >= options.shards)
        throw std::invalid_argument("--shard needs I/N with I below N, not " + text);
    } else if (name == "--seeded")
      options.seeded = value();
    else if (name == "--gradients")
      options.gradients = true;
    else if (name == "--list")
      options.list = true;
    else if (name == "--quiet")
      options.quiet = true;
    else if (name == "--help") {
      std::cout << kHelp;
      return false;
    } else {
      std::cerr << "test_ops: unknown option " << name << "\n" << kHelp;
      status = 2;
      return false;
    }
  }
  return true;
}

const char* first_dtype(const Case& c) {
  for (const auto* side : {&c.in, &c.out}) {
    for (const Tensor& t : *side) {
      if (t.dtype) return dtype_name(t.dtype);
    }
  }
  return "none";
}

bool chosen(const Case& c, const Options& options) {
  return (options.op.empty() || options.op == op_name(c.op)) && (options.dtype.empty() || options.dtype == first_dtype(c)) &&
         (options.matches.empty() || std::any_of(options.matches.begin(), options.matches.end(), [&](const std::string& match) {
            return c.name.find(match) != std::string::npos;
          }));
}

std::string json_string(const std::string& text) {
  std::string out = "\"";
  for (char ch : text) {
    if (ch == '"' || ch == '\\') out += '\\';
    if (static_cast<unsigned char>(ch) >= 0x20)
      out += ch;
    else
      out += ' ';
  }
  return out + "\"";
}

// Counts, prints and records results.
class Report {
 public:
  explicit Report(const Options& options, size_t total) : quiet_(options.quiet || !isatty(STDERR_FILENO)), total_(total) {
    if (options.json.empty()) return;
    json_.open(options.json);
    if (!json_) throw std::runtime_error("cannot write " + options.json);
    json_ << "[";
  }

  void starting(const Case& c) {
    ++started_;
    if (!quiet_) std::fprintf(stderr, "\r\033[K[%zu/%zu] %s", started_, total_, c.name.c_str());
  }

  void add(const Result& result) {
    const char* state = "passed";
    if (result.state == Result::State::passed) {
      ++passed_;
    } else if (result.state == Result::State::declined) {
      state = "declined";
      if (declined_++ == 0) why_declined_ = result.message;
    } else {
      state = "failed";
      ++failed_;
      if (!quiet_) std::fprintf(stderr, "\r\033[K");
      std::cout << "FAILED " << result.name << (result.variant.empty() ? "" : " [" + result.variant + "]") << ": " << result.message
                << std::endl;
    }
    if (json_.is_open()) {
      json_ << (first_ ? "\n" : ",\n") << "{\"case\": " << json_string(result.name)
            << ", \"variant\": " << json_string(result.variant) << ", \"result\": \"" << state
            << "\", \"seconds\": " << result.seconds << ", \"message\": " << json_string(result.message) << "}";
      first_ = false;
    }
  }

  // The exit status.
  int finish() {
    if (!quiet_) std::fprintf(stderr, "\r\033[K");
    if (json_.is_open()) json_ << "\n]\n";
    std::cout << total_ << " cases" << std::endl;
    if (declined_) std::cout << declined_ << " declined: " << why_declined_ << std::endl;
    std::cout << passed_ << " passed, " << failed_ << " failed" << std::endl;
    return failed_ > 0 || passed_ == 0 ? 1 : 0;
  }

 private:
  bool quiet_, first_ = true;
  size_t total_, started_ = 0, passed_ = 0, failed_ = 0, declined_ = 0;
  std::string why_declined_;
  std::ofstream json_;
};

std::shared_ptr<Backend> backend(const std::string& name) {
  return name.find('/') == std::string::npos ? Backend::named(name) : Backend::load(name);
}

int run(const Options& options) {
  Cases cases;
  for (Case& c : all_cases()) {
    if (chosen(c, options) && (options.gradients || options.list || !c.gradient_only)) cases.push_back(std::move(c));
  }
  cases = shard(std::move(cases), options.shard, options.shards);
  if (options.list) {
    for (const Case& c : cases) std::cout << c.name << "\n";
    return 0;
  }
  Bench reference(backend(options.reference), 0);
  if (!options.seeded.empty()) return run_seeded(cases, options.seeded, reference);

  Report report(options, cases.size());
  if (options.gradients) {
    for (const Case& c : cases) {
      report.starting(c);
      if (const auto result = check_gradients(c, reference)) report.add(*result);
    }
    return report.finish();
  }
  Bench tested(backend(options.plugin), options.device);
  if (!options.quiet)
    std::cout << options.plugin << ": " << tested.device().info().name << ", " << tested.device().info().driver << std::endl;
  for (const Case& c : cases) {
    report.starting(c);
    for (const Result& result : run_case(c, tested, reference, options.variant)) report.add(result);
  }
  const onc_device_stats stats = tested.device().stats();
  if (!options.quiet && stats.programs_built + stats.programs_cached > 0) {
    std::cout << stats.programs_built << " programs built, " << stats.programs_cached << " taken from the cache" << std::endl;
  }
  return report.finish();
}

}  // namespace
}  // namespace oncilla::test

int main(int argc, char** argv) {
  oncilla::test::Options options;
  int status = 0;
  try {
    if (!oncilla::test::parse(argc, argv, options, status)) return status;
    if (options.jobs > 1) {
      if (!options.json.empty()) throw std::invalid_argument("--json and --jobs do not go together");
      std::vector<std::string> arguments;
      for (int i = 0; i < argc; ++i) {
        if (std::string(argv[i]) == "--jobs")
          ++i;
        else
          arguments.emplace_back(argv[i]);
      }
      return oncilla::test::run_jobs(arguments, options.jobs);
    }
    return oncilla::test::run(options);
  } catch (const std::exception& error) {
    std::cerr << "test_ops: " << error.what() << "\n";
    return 2;
  }
}
