// `oncilla tune`: finds the variants and parameters that are fastest on a device, and writes them as rows of the user's tuning
// file.
#include "tools/tune.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>

#include "tools/child.hpp"
#include "tools/command.hpp"
#include "tools/tune_workloads.hpp"

namespace oncilla::tools {
namespace {

constexpr double kLeastSeconds = 5;  // of a group's search
constexpr size_t kCrashes = 8;       // of a group's workers, after which it is left

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string row_name(const std::string& candidate) {
  std::string text = candidate;
  std::replace(text.begin(), text.end(), ':', ' ');
  std::replace(text.begin(), text.end(), ',', ' ');
  return text;
}

// What a row is for, with the places of its workloads.
struct Group {
  Json key;  // op, device, dtype, shape_class
  std::vector<size_t> workloads;
  std::string name() const {
    return key["op"].get<std::string>() + " " + key["dtype"].get<std::string>() +
           (key["shape_class"] == "" ? "" : ", " + key["shape_class"].get<std::string>());
  }
};

class Tuner {
 public:
  explicit Tuner(const TuneOptions& options)
      : options_(options), progress_(!options.quiet && isatty(STDERR_FILENO) != 0), deadline_(now() + 60 * options.budget) {}

  int tune() {
    TuneFile file(options_.file);
    std::vector<Group> groups = list();
    std::erase_if(groups, [&](const Group& group) {
      const bool done = !options_.again && file.tuned(group.key);
      if (done) std::printf("%s: tuned before\n", group.name().c_str());
      return done;
    });
    // Groups of many sizes are searched longer.
    const auto weight = [](const Group& group) { return 1 + std::log2(static_cast<double>(group.workloads.size())); };
    double left = 0;
    for (const Group& group : groups) left += weight(group);
    for (const Group& group : groups) {
      const double share = (deadline_ - now()) * weight(group) / left;
      left -= weight(group);
      if (now() > deadline_) {
        std::printf("%s: not begun, the time is over: the same command goes on with it\n", group.name().c_str());
        ++unfinished_;
      } else {
        search(group, file, share);
      }
      std::fflush(stdout);
    }
    std::printf("%zu rows in %s; %zu groups of plans with a faster choice, %zu where it stays, %zu left for another run\n",
                file.rows().size(), options_.file.c_str(), faster_, stays_, unfinished_);
    if (wrong_ > 0)
      std::printf("%zu candidates are wrong on this device: see \"quarantine\" in the file, and `oncilla doctor`\n", wrong_);
    return 0;
  }

  // Takes over the rows of another file that are for this device and prove right and not slower here.
  int import() {
    TuneFile file(options_.file);
    const TuneFile from(options_.import);
    const std::vector<Group> groups = list();
    size_t taken = 0;
    for (const Json& row : from.rows()) {
      const auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& g) {
        return row.value("op", "") == g.key["op"] && row.value("dtype", "") == g.key["dtype"] &&
               row.value("shape_class", "") == g.key["shape_class"] && row.value("device", Json()) == g.key["device"];
      });
      const std::string name = row.value("op", "?") + " " + row.value("dtype", "") + ", " + row.value("shape_class", "");
      if (group == groups.end()) {
        std::printf("%s: left out: it is for another device, or no size here is of its class\n", name.c_str());
        continue;
      }
      const Json found = run_search(*group, file, 60, candidate_name(row));
      if (found.contains("wins")) {
        add(*group, file, found);
        ++taken;
      } else {
        std::printf("%s: left out: %s\n", name.c_str(),
                    found.contains("keeps") ? "not faster here than the choice without it" : "it does not work here");
      }
    }
    std::printf("%zu of %zu rows taken over into %s\n", taken, from.rows().size(), options_.file.c_str());
    return taken > 0 || from.rows().empty() ? 0 : 1;
  }

  // The rows of the file beside the shipped ones.
  int check() {
    const std::vector<Group> groups = list();
    std::printf("%-44s %6s %8s %8s\n", "group", "sizes", "speed", "least");
    double sum = 0;
    size_t sizes = 0;
    for (const Group& group : groups) {
      std::vector<double> speeds;
      const Ended ended = worker(group, {"check", "--file", options_.file}, [&](const Json& said) {
        if (said.contains("timing")) show(group.name() + ": " + said["timing"].get<std::string>());
        if (said.contains("speed")) speeds.push_back(said["speed"]);
      });
      if (!ended.how.empty() || ended.status != 0 || speeds.empty())
        throw std::runtime_error(group.name() + ": " + (ended.how.empty() ? ended.errors : "the process " + ended.how));
      double logs = 0;
      for (const double speed : speeds) logs += std::log(speed);
      sum += logs;
      sizes += speeds.size();
      clear();
      std::printf("%-44s %6zu %8.2f %8.2f\n", group.name().c_str(), speeds.size(),
                  std::exp(logs / static_cast<double>(speeds.size())), *std::min_element(speeds.begin(), speeds.end()));
      std::fflush(stdout);
    }
    std::printf("%-44s %6zu %8.2f\n", "together", sizes, std::exp(sum / static_cast<double>(std::max<size_t>(1, sizes))));
    std::printf(
        "speed: of the file's choices as a multiple of the shipped rows', medians of turns; geometric means over the sizes\n");
    return 0;
  }

 private:
  // The groups of this device, in the order of the ops.
  std::vector<Group> list() {
    std::vector<Group> groups;
    std::map<std::string, size_t> index;
    Json device;
    std::string driver, planning;
    const Ended ended = worker({}, {"list"}, [&](const Json& said) {
      if (said.contains("device")) device = said["device"], driver = said["driver"];
      if (said.contains("planning")) show("plans: " + said["planning"].get<std::string>());
      if (said.contains("planning")) planning = said["planning"];
      if (said.contains("declined")) std::fprintf(stderr, "oncilla: %s\n", said["message"].get<std::string>().c_str());
      if (!said.contains("workload")) return;
      const std::string name =
          said["op"].get<std::string>() + " " + said["dtype"].get<std::string>() + " " + said["shape_class"].get<std::string>();
      const auto [at, fresh] = index.try_emplace(name, groups.size());
      if (fresh)
        groups.push_back(
            {{{"op", said["op"]}, {"device", device}, {"dtype", said["dtype"]}, {"shape_class", said["shape_class"]}}, {}});
      groups[at->second].workloads.push_back(said["workload"]);
    });
    clear();
    if (!ended.how.empty())
      throw std::runtime_error("a process " + ended.how + " while planning " + planning + "; `oncilla doctor` may say more");
    if (ended.status != 0) throw std::runtime_error(ended.errors.empty() ? "nothing could be planned" : ended.errors);
    if (!options_.quiet)
      std::printf("%s, driver %s: %zu groups of plans\n", device["name"].get<std::string>().c_str(), driver.c_str(), groups.size());
    return groups;
  }

  Ended worker(const Group& group, std::vector<std::string> step, const std::function<void(const Json&)>& heard) {
    std::vector<std::string> arguments = {"tune", "--device", std::to_string(options_.device), "--step"};
    arguments.insert(arguments.end(), step.begin(), step.end());
    arguments.insert(arguments.end(), {"--dtype", joined(options_.dtypes, ",")});
    if (!options_.ops.empty()) arguments.insert(arguments.end(), {"--op", joined(options_.ops, ",")});
    if (options_.scratch) arguments.push_back("--scratch");
    std::string places;
    for (const size_t i : group.workloads) places += (places.empty() ? "" : ",") + std::to_string(i);
    if (!places.empty()) arguments.insert(arguments.end(), {"--workloads", places});
    return run_child(arguments, options_.limit, [&](const std::string& line) {
      const Json said = Json::parse(line, nullptr, false);
      if (said.is_object()) heard(said);
    });
  }

  // What a search says last. A candidate at which its process ends goes into quarantine, and the search begins anew without it.
  Json run_search(const Group& group, TuneFile& file, double seconds, const std::string& candidate) {
    Json last;
    std::vector<std::string> skipped = file.quarantined(group.key);
    for (size_t crashes = 0; crashes < kCrashes; ++crashes) {
      std::string at;
      size_t tried = 0;
      std::vector<std::string> step = {"search", "--seconds", std::to_string(seconds)};
      if (!candidate.empty()) step.insert(step.end(), {"--candidate", candidate});
      for (const std::string& name : skipped) step.insert(step.end(), {"--skip", name});
      const Ended ended = worker(group, step, [&](const Json& said) {
        for (const char* doing : {"trying", "verifying", "confirming"}) {
          if (!said.contains(doing)) continue;
          at = said[doing];
          tried += doing == std::string("trying") ? 1 : 0;
          show(group.name() + ": " + doing + " " + row_name(at) + " (" + std::to_string(tried) + ")");
        }
        if (said.contains("wrong")) quarantine(group, file, said["wrong"], said["message"], said["reproducer"]);
        if (said.contains("wins") || said.contains("keeps")) last = said, last["tried"] = tried;
      });
      clear();
      if (ended.how.empty() && ended.status == 0) return last;
      const std::string what = ended.how.empty() ? ended.errors : "a process " + ended.how;
      if (at.empty()) throw std::runtime_error(group.name() + ": " + what);
      quarantine(group, file, at, what, "");
      skipped.push_back(at);
      if (at == candidate) return Json::object();
    }
    std::printf("%s: left, after %zu processes that ended\n", group.name().c_str(), kCrashes);
    return Json::object();
  }

  void search(const Group& group, TuneFile& file, double share) {
    const Json found = run_search(group, file, std::max(kLeastSeconds, share), "");
    if (found.contains("wins")) {
      add(group, file, found);
    } else if (found.contains("keeps")) {
      file.add_tuned(group.key, nullptr);
      ++stays_;
      std::printf(
          "%s (%zu sizes): %s stays, of %zu tried%s\n", group.name().c_str(), group.workloads.size(),
          row_name(found["keeps"]).c_str(), found["tried"].get<size_t>(),
          found["right"] == true ? "" : "; IT IS WRONG HERE, and nothing right was found: do not use this op on this device");
    } else {
      ++unfinished_;
    }
  }

  void add(const Group& group, TuneFile& file, const Json& found) {
    const double speed = found["speed"], held = found["speed_held"];
    Json row = group.key;
    row["variant"] = found["variant"];
    row["parameters"] = found["parameters"];
    row["speed"] = std::round(100 * speed) / 100;
    row["basis"] = "measured";
    row["oncilla"] = ONC_VERSION;
    file.add_tuned(group.key, &row);
    ++faster_;
    std::string others = ", no others to try it at";
    if (const size_t n = found["held"]; n > 0) {
      char text[64];
      std::snprintf(text, sizeof text, ", %.2f at %zu others", held, n);
      others = text;
    }
    std::printf("%s (%zu sizes): %s, %.2f times as fast as the choice%s; right in %zu cases, of %zu tried\n", group.name().c_str(),
                group.workloads.size(), row_name(found["wins"]).c_str(), speed, others.c_str(), found["verified"].get<size_t>(),
                found["tried"].get<size_t>());
  }

  void quarantine(const Group& group, TuneFile& file, const std::string& candidate, const std::string& message,
                  const std::string& reproducer) {
    clear();
    std::printf("%s: %s is WRONG here: %s\n", group.name().c_str(), row_name(candidate).c_str(), message.c_str());
    if (!reproducer.empty()) std::printf("  %s\n", reproducer.c_str());
    Json entry = group.key;
    entry["variant"] = variant_of(candidate);
    entry["parameters"] = parameters_of(candidate);
    entry["message"] = message;
    if (!reproducer.empty()) entry["reproducer"] = reproducer;
    file.add_quarantined(std::move(entry));
    ++wrong_;
  }

  void show(const std::string& text) const {
    const auto left = static_cast<long>(std::max(0.0, deadline_ - now()));
    if (progress_) std::fprintf(stderr, "\r\033[K[%ld:%02ld left] %.110s", left / 60, left % 60, text.c_str());
  }
  void clear() const {
    if (progress_) std::fprintf(stderr, "\r\033[K");
  }

  const TuneOptions& options_;
  const bool progress_;
  const double deadline_;
  size_t faster_ = 0, stays_ = 0, unfinished_ = 0, wrong_ = 0;
};

int run_tune(TuneOptions& options) {
  if (!options.step.empty()) return tune_work(options);
  if (options.file.empty()) options.file = TuneFile::usual_path();
  if (!options.import.empty() && !std::filesystem::exists(options.import))
    throw std::runtime_error(options.import + " does not exist");
  if (options.check && !std::filesystem::exists(options.file)) throw std::runtime_error(options.file + " does not exist");
  Tuner tuner(options);
  return options.check ? tuner.check() : !options.import.empty() ? tuner.import() : tuner.tune();
}

void setup(CLI::App& app, std::function<int()>& run) {
  auto* command = app.add_subcommand("tune", "Find the fastest variants and parameters for a device, and keep them");
  static TuneOptions options;
  command->footer(
      "Rows go to a file that every later process reads: ~/.config/oncilla/tuning.json, or the one that ONCILLA_TUNING names. A "
      "run that was\n"
      "interrupted goes on where it was. Nothing wins that does not agree with the reference plugin; what is wrong on this device "
      "is kept\n"
      "apart in the file with a command that shows it. docs/tuning.md says more.");
  command->add_option("--device", options.device, "The device, of `oncilla devices`")->capture_default_str();
  command->add_option("--op", options.ops, "Only these ops, separated by commas")
      ->delimiter(',')
      ->check(CLI::IsMember(tuned_ops()));
  command->add_option("--dtype", options.dtypes, "For these dtypes, separated by commas")
      ->delimiter(',')
      ->check(CLI::IsMember(tuned_dtypes()))
      ->capture_default_str();
  command->add_option("--budget", options.budget, "Minutes, for all")->check(CLI::Range(0.01, 1e5))->capture_default_str();
  command->add_option("--file", options.file, "Read and write this file instead of the user's own");
  command->add_option("--import", options.import, "Instead: take over the rows of this file that prove right and faster here");
  command->add_flag("--check", options.check, "Instead: time the file's choices beside the shipped ones");
  command->add_flag("--again", options.again, "Search also what this version has tuned before");
  command->add_flag("--scratch", options.scratch, "Begin from the rows for any device, as if nothing were known of this one");
  command->add_flag("--quiet", options.quiet, "No progress");
  command->add_option("--limit", options.limit, "Seconds that a driver may take for one thing")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  command->add_option("--step", options.step)->group("");
  command->add_option("--candidate", options.candidate)->group("");
  command->add_option("--workloads", options.workloads)->delimiter(',')->group("");
  command->add_option("--skip", options.skipped)->group("")->take_all();
  command->add_option("--seconds", options.seconds)->group("");
  command->callback([&run] { run = [] { return run_tune(options); }; });
}

const Command registered(setup);

}  // namespace
}  // namespace oncilla::tools
