// The table, and the file.
#include "ops/report.hpp"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace oncilla::test {
namespace {

using Json = nlohmann::ordered_json;

const char* state_name(Result::State state) {
  switch (state) {
    case Result::State::passed:
      return "passed";
    case Result::State::declined:
      return "declined";
    case Result::State::excused:
      return "excused";
    default:
      return "failed";
  }
}

// Reasons differ in sizes and positions only: numbers that stand alone become N, so that a table of reasons stays short.
std::string without_numbers(const std::string& text) {
  std::string out;
  bool in_word = false, in_number = false;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (digit && !in_word) {
      if (!in_number) out += 'N';
      in_number = true;
      continue;
    }
    out += c;
    in_number = false;
    in_word = digit || c == '_' || std::isalpha(static_cast<unsigned char>(c)) != 0;
  }
  return out;
}

}  // namespace

Report::Report(const Options& options, size_t total)
    : options_(options), exceptions_(options.exceptions), progress_(!options.quiet && isatty(STDERR_FILENO) != 0), total_(total) {
  if (!options.json.empty() && !std::ofstream(options.json)) throw std::runtime_error("cannot write " + options.json);
}

void Report::clear_progress() const {
  if (progress_) std::fprintf(stderr, "\r\033[K");
}

void Report::starting(const Case& c) {
  ++started_;
  if (progress_) std::fprintf(stderr, "\r\033[K[%zu/%zu] %.100s", started_, total_, c.name.c_str());
}

void Report::add(const Case& c, std::vector<Result> results) {
  if (results.empty()) return;
  Row& row = rows_[c.op];
  ++row.cases;
  for (Result& result : results) {
    exceptions_.apply(subject_, c, result);
    ++row.runs;
    row.seconds += result.seconds;
    row.worst = std::max(row.worst, result.error);
    if (result.state == Result::State::passed) ++row.passed;
    if (result.state == Result::State::excused) ++row.excused;
    if (result.state == Result::State::declined) {
      ++row.declined;
      ++row.reasons[without_numbers(result.message)];
    }
    if (result.state == Result::State::failed) {
      ++row.failed;
      clear_progress();
      std::cout << "FAILED " << result.name << (result.variant.empty() ? "" : " [" + result.variant + "]") << ": " << result.message
                << std::endl;
    }
    if (!options_.json.empty()) results_.push_back(result);
  }
}

void Report::check_exceptions(const Cases& all) {
  for (const std::string& problem : exceptions_.stale(subject_, all)) trouble(problem);
}

void Report::trouble(const std::string& what) {
  ++troubles_;
  clear_progress();
  std::cout << "FAILED " << what << std::endl;
}

void Report::print_table(const Row& sum) const {
  const auto line = [](const char* name, const Row& row) {
    std::printf("%-24s %7zu %7zu %7zu %7zu %8zu %8zu %9.1f %9.3f\n", name, row.cases, row.runs, row.passed, row.failed,
                row.declined, row.excused, row.seconds, row.worst);
  };
  std::printf("%-24s %7s %7s %7s %7s %8s %8s %9s %9s\n", "op", "cases", "runs", "passed", "failed", "declined", "excused",
              "seconds", "worst");
  for (const auto& [op, row] : rows_) line(op_name(op), row);
  line("together", sum);
  std::printf("A run is one variant of a case. worst: the largest error of a run that passed, as a share of the tolerance.\n");
  for (const auto& [op, row] : rows_) {
    for (const auto& [reason, n] : row.reasons) std::printf("declined %zu of %s: %s\n", n, op_name(op), reason.c_str());
  }
}

void Report::write_json(const Row& sum) const {
  const auto counts = [](const Row& row) {
    return Json{{"cases", row.cases},     {"runs", row.runs},         {"passed", row.passed},
                {"failed", row.failed},   {"declined", row.declined}, {"excused", row.excused},
                {"seconds", row.seconds}, {"worst", row.worst},       {"declined_because", row.reasons}};
  };
  Json document = {{"plugin", subject_.plugin}, {"device", subject_.device}, {"driver", subject_.driver}, {"level", options_.level},
                   {"wide", options_.wide},     {"programs_built", built_},  {"together", counts(sum)}};
  for (const auto& [op, row] : rows_) document["ops"][op_name(op)] = counts(row);
  Json results = Json::array();
  for (const Result& r : results_) {
    results.push_back({{"case", r.name},
                       {"variant", r.variant},
                       {"result", state_name(r.state)},
                       {"seconds", r.seconds},
                       {"worst", r.error},
                       {"message", r.message}});
  }
  document["results"] = std::move(results);
  std::ofstream file(options_.json);
  // A driver's string need not be UTF-8; JSON must.
  file << document.dump(1, ' ', false, Json::error_handler_t::replace) << "\n";
  if (!file.flush()) throw std::runtime_error("cannot write " + options_.json);
}

int Report::finish() {
  clear_progress();
  Row sum;
  for (const auto& [op, row] : rows_) {
    sum.cases += row.cases;
    sum.runs += row.runs;
    sum.passed += row.passed;
    sum.failed += row.failed;
    sum.declined += row.declined;
    sum.excused += row.excused;
    sum.seconds += row.seconds;
    sum.worst = std::max(sum.worst, row.worst);
  }
  print_table(sum);
  if (!options_.json.empty()) write_json(sum);
  if (!subject_.device.empty()) {
    std::printf("%s on %s, %s%s", subject_.plugin.c_str(), subject_.device.c_str(), subject_.driver.c_str(),
                options_.wide ? ", elements counted in 64 bits" : "");
    if (built_ + cached_ > 0)
      std::printf("; %llu programs built, %llu from the cache", static_cast<unsigned long long>(built_),
                  static_cast<unsigned long long>(cached_));
    std::printf("\n");
  }
  const size_t failed = sum.failed + troubles_;
  std::printf("%zu cases of level %s, %zu runs, %zu declined\n", sum.cases, options_.level.c_str(), sum.runs, sum.declined);
  std::printf("%zu passed, %zu failed", sum.passed, failed);
  if (sum.excused > 0) std::printf(", %zu excused", sum.excused);
  std::printf("\n");
  std::fflush(stdout);
  return failed > 0 || sum.passed == 0 ? 1 : 0;
}

}  // namespace oncilla::test
