// Which cases run, and where.
#include "ops/conformance.hpp"

#include <algorithm>
#include <iostream>
#include <map>
#include <stdexcept>

#include "ops/benchmark.hpp"
#include "ops/record.hpp"
#include "ops/report.hpp"
#include "ops/seeded.hpp"
#include "ops/session.hpp"
#include "ops/widen.hpp"
#include "ops/workers.hpp"

namespace oncilla::test {

const char* first_dtype(const Case& c) {
  for (const auto* side : {&c.in, &c.out}) {
    for (const Tensor& t : *side) {
      if (t.dtype) return dtype_name(t.dtype);
    }
  }
  return "none";
}

namespace {

bool among(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

bool holds_any(const std::string& name, const std::vector<std::string>& texts) {
  return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) { return name.find(text) != std::string::npos; });
}

bool chosen(const Case& c, const Options& options) {
  return among(options.ops, op_name(c.op)) && among(options.dtypes, first_dtype(c)) &&
         (options.matches.empty() || holds_any(c.name, options.matches)) && !holds_any(c.name, options.without);
}

// What --smallest and --share pick from: an op, the first word of its name (op/word), and a dtype.
std::string kind_of(const Case& c) { return c.name.substr(0, c.name.find(' ')) + " " + first_dtype(c); }

// Keeps the first case of each kind and every `share`-th after it: with 2.5 those of 0, 2.5, 5, 7.5, … rounded up.
void keep_share(Cases& cases, double share) {
  struct Count {
    size_t seen = 0, kept = 0;
  };
  std::map<std::string, Count> counts;
  std::erase_if(cases, [&](const Case& c) {
    Count& count = counts[kind_of(c)];
    const bool keep = static_cast<double>(count.seen++) >= static_cast<double>(count.kept) * share;
    count.kept += keep ? 1 : 0;
    return !keep;
  });
}

// Keeps the `count` smallest cases of each kind: those in which vectors have whole parts and tails, if there are such, and none
// without elements.
void keep_smallest(Cases& cases, size_t count) {
  constexpr int64_t kTail = 40;  // elements in all; below, a vector of 16 may have no whole part
  std::map<std::string, std::vector<std::pair<std::pair<bool, int64_t>, size_t>>> kinds;
  for (size_t i = 0; i < cases.size(); ++i) {
    int64_t elements = 0;
    bool empty = false;
    for (const auto* side : {&cases[i].in, &cases[i].out}) {
      for (const Tensor& t : *side) {
        if (t.dtype == 0) continue;
        elements += t.numel();
        empty = empty || t.numel() == 0;
      }
    }
    if (empty) continue;
    kinds[kind_of(cases[i])].push_back({{elements < kTail, elements}, i});
  }
  std::vector<bool> kept(cases.size(), false);
  for (auto& [kind, ranked] : kinds) {
    std::sort(ranked.begin(), ranked.end());
    for (size_t k = 0; k < std::min(count, ranked.size()); ++k) kept[ranked[k].second] = true;
  }
  Cases few;
  for (size_t i = 0; i < cases.size(); ++i) {
    if (kept[i]) few.push_back(std::move(cases[i]));
  }
  cases = std::move(few);
}

// A misspelt name must not look like an op without cases.
void check_names(const Options& options) {
  const auto demand = [](const std::vector<std::string>& names, const std::vector<std::string>& known, const char* what) {
    for (const std::string& name : names) {
      if (std::find(known.begin(), known.end(), name) == known.end())
        throw std::invalid_argument("\"" + name + "\" is no " + what + " that the tables know");
    }
  };
  std::vector<std::string> ops, dtypes;
#define ONC_OP(number, NAME, name, ...) ops.push_back(#name);
#include "oncilla/ops.def"
#undef ONC_OP
#define ONC_DTYPE(number, NAME, name, ...) dtypes.push_back(#name);
#include "oncilla/dtypes.def"
#undef ONC_DTYPE
  demand(options.ops, ops, "op");
  demand(options.dtypes, dtypes, "dtype");
}

}  // namespace

Cases chosen_cases(const Options& options) {
  Cases cases = all_cases();
  if (options.level == "full") {
    widen(cases);
  } else {
    std::erase_if(cases, [](const Case& c) { return c.level == Level::full; });
  }
  std::erase_if(cases,
                [&](const Case& c) { return !chosen(c, options) || (c.gradient_only && !options.gradients && !options.list); });
  if (options.share > 1) keep_share(cases, options.share);
  if (options.smallest > 0) keep_smallest(cases, options.smallest);
  return cases;
}

int run_conformance(const Options& options) {
  check_names(options);
  const Cases cases = chosen_cases(options);
  if (options.list) {
    for (const Case& c : cases) std::cout << c.name << "\n";
    return 0;
  }
  if (options.worker) return serve(cases, options);
  if (!options.seeded.empty()) {
    Session session(options);
    return run_seeded(cases, options.seeded, session.reference());
  }
  if (!options.record.empty()) {
    if (options.wide) setenv("ONCILLA_WIDE_INDEX", "1", 1);
    return record_cases(cases, options);
  }
  if (options.benchmark) {
    Session session(options);
    return run_benchmark(cases, options, session);
  }
  Report report(options, cases.size());
  if (options.jobs > 0) {
    run_in_workers(cases, options, report);
    if (!options.exceptions.empty()) report.check_exceptions(all_cases());
    return report.finish();
  }
  Session session(options);
  report.subject(session.subject());
  for (const Case& c : cases) {
    report.starting(c);
    report.add(c, session.run(c));
  }
  uint64_t built = 0, cached = 0;
  session.programs(built, cached);
  report.programs(built, cached);
  if (!options.exceptions.empty()) report.check_exceptions(all_cases());
  return report.finish();
}

}  // namespace oncilla::test
