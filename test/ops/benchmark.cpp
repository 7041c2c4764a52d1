// Interleaved rounds, medians of ratios, a table by op.
#include "ops/benchmark.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "ops/planned.hpp"

namespace oncilla::test {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kRound = 1e-3;     // seconds that a plan's turn takes at least, where kMostRuns lets it
constexpr size_t kMostRuns = 1000;  // of one turn
constexpr double kBeaten = 0.8;     // a variant that takes less of the choice's time is worth a line
constexpr size_t kMostLines = 20;

// What takes turns: a plan, its memory image and how often it runs in a turn.
struct Runner {
  std::string name;
  Description description;
  PlanHandle plan;
  ArenaImage image;
  size_t count = 1;
  std::vector<double> seconds;  // of one run, by round

  Runner(const Case& c, Bench& bench, const std::vector<Elements>& inputs, bool dense, const std::string& variant)
      : name(variant),
        description(c, dense, variant),
        plan(bench, description),
        image(c, inputs, dense, plan.info().workspace_bytes, std::byte{0}) {
    const double once = plan.time(c, image, 1);
    count = std::clamp(static_cast<size_t>(std::ceil(kRound / std::max(once, 1e-9))), size_t{1}, kMostRuns);
  }
  void turn(const Case& c) { seconds.push_back(plan.time(c, image, count) / static_cast<double>(count)); }
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double ratio(const Runner& a, const Runner& b) {
  std::vector<double> ratios;
  for (size_t i = 0; i < a.seconds.size(); ++i) ratios.push_back(a.seconds[i] / b.seconds[i]);
  return median(std::move(ratios));
}

double fastest(const Timing& t) {
  double least = 1;
  for (const Timing::Variant& v : t.variants) least = std::min(least, v.time);
  return least;
}

double geometric_mean(double sum_of_logs, size_t n) { return std::exp(sum_of_logs / static_cast<double>(n)); }

void print_table(const std::vector<std::pair<uint32_t, Timing>>& timings) {
  struct Row {
    size_t cases = 0;
    double reference = 0, best = 0;  // sums of logarithms
    double worst = 1;
  };
  std::map<uint32_t, Row> rows;
  Row all;
  for (const auto& [op, t] : timings) {
    for (Row* row : {&rows[op], &all}) {
      ++row->cases;
      row->reference += std::log(t.reference);
      row->best += std::log(fastest(t));
      row->worst = std::min(row->worst, fastest(t));
    }
  }
  const auto line = [](const char* name, const Row& row) {
    std::printf("%-24s %7zu %17.2f %15.2f %7.2f\n", name, row.cases, geometric_mean(row.reference, row.cases),
                geometric_mean(row.best, row.cases), row.worst);
  };
  std::printf("%-24s %7s %17s %15s %7s\n", "op", "cases", "reference/choice", "fastest/choice", "least");
  for (const auto& [op, row] : rows) line(op_name(op), row);
  line("together", all);
  std::printf(
      "Ratios of times, geometric means over the cases. choice: the variant that the plugin runs unless told otherwise;\n"
      "fastest: the fastest variant of the case; least: the smallest such ratio. 1.00: no variant beats the choice.\n");
}

void print_beaten(std::vector<std::pair<uint32_t, Timing>> timings) {
  std::erase_if(timings, [](const auto& entry) { return fastest(entry.second) >= kBeaten; });
  std::sort(timings.begin(), timings.end(), [](const auto& a, const auto& b) { return fastest(a.second) < fastest(b.second); });
  if (!timings.empty())
    std::printf("%zu choices are beaten by more than a fifth%s\n", timings.size(),
                timings.size() > kMostLines ? ", most of all:" : ":");
  for (size_t i = 0; i < std::min(timings.size(), kMostLines); ++i) {
    const Timing& t = timings[i].second;
    std::printf("  %s: %s", t.name.c_str(), t.choice.c_str());
    for (const Timing::Variant& v : t.variants) {
      if (v.time < kBeaten) std::printf(", %s takes %.2f of its time", v.name.c_str(), v.time);
    }
    std::printf("\n");
  }
}

void write_json(const std::string& path, const Subject& subject, const std::vector<std::pair<uint32_t, Timing>>& timings) {
  Json document = {{"plugin", subject.plugin}, {"device", subject.device}, {"driver", subject.driver}};
  Json results = Json::array();
  for (const auto& [op, t] : timings) {
    Json variants;
    for (const Timing::Variant& v : t.variants) variants[v.name] = v.time;
    results.push_back(
        {{"case", t.name}, {"op", op_name(op)}, {"choice", t.choice}, {"reference", t.reference}, {"variants", variants}});
  }
  document["results"] = std::move(results);
  std::ofstream file(path);
  file << document.dump(1, ' ', false, Json::error_handler_t::replace) << "\n";
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace

Timing time_case(const Case& c, Bench& tested, Bench& reference, size_t rounds) {
  const std::vector<Elements> inputs = inputs_of(c, reference);
  std::vector<std::unique_ptr<Runner>> runners;
  runners.push_back(std::make_unique<Runner>(c, tested, inputs, false, ""));
  runners.push_back(std::make_unique<Runner>(c, reference, inputs, true, ""));
  Timing timing{c.name, runners[0]->plan.info().variant, 0, {}};
  for (const std::string& variant : runners[0]->plan.candidates()) {
    if (variant != timing.choice) runners.push_back(std::make_unique<Runner>(c, tested, inputs, false, variant));
  }
  for (size_t round = 0; round < rounds; ++round) {
    for (const auto& runner : runners) runner->turn(c);
  }
  timing.reference = ratio(*runners[1], *runners[0]);
  timing.variants.push_back({timing.choice, 1});
  for (size_t i = 2; i < runners.size(); ++i) timing.variants.push_back({runners[i]->name, ratio(*runners[i], *runners[0])});
  return timing;
}

int run_benchmark(const Cases& cases, const Options& options, Session& session) {
  const bool progress = !options.quiet && isatty(STDERR_FILENO) != 0;
  std::vector<std::pair<uint32_t, Timing>> timings;
  size_t declined = 0, empty = 0, repeated = 0, started = 0;
  for (const Case& c : cases) {
    if (progress) std::fprintf(stderr, "\r\033[K[%zu/%zu] %.100s", ++started, cases.size(), c.name.c_str());
    // Nothing to do; or a run that finds another input each time.
    if (std::any_of(c.out.begin(), c.out.end(), [](const Tensor& t) { return t.dtype != 0 && t.numel() == 0; })) {
      ++empty;
    } else if (!c.aliases.empty()) {
      ++repeated;
    } else {
      try {
        timings.emplace_back(c.op, time_case(c, session.tested(), session.reference(), options.rounds));
      } catch (const Error& error) {
        if (error.code() != ONC_UNIMPLEMENTED) throw;
        ++declined;
      }
    }
  }
  if (progress) std::fprintf(stderr, "\r\033[K");
  if (!timings.empty()) {
    print_table(timings);
    print_beaten(timings);
  }
  const Subject subject = session.subject();
  if (!options.json.empty()) write_json(options.json, subject, timings);
  std::printf("%s on %s, %s\n", subject.plugin.c_str(), subject.device.c_str(), subject.driver.c_str());
  std::printf("%zu timed in %zu rounds, %zu declined, %zu without elements, %zu in place\n", timings.size(), options.rounds,
              declined, empty, repeated);
  std::fflush(stdout);
  return timings.empty() ? 1 : 0;
}

}  // namespace oncilla::test
