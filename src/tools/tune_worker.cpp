// A worker of `oncilla tune`: lists what plans could do, searches the variants and parameters of one group of plans, or compares
// the user's rows with those that are shipped. A group is what one row is for: plans of one op, dtype and shape class.
//
// The search: every variant with the parameters that its row has; of the fastest ones, one parameter after the other up and down
// its values, as long as that helps. A candidate's time is compared with that of the plugin's choice in turns, so that what
// disturbs the machine meets both. Its results must be the choice's at the sizes that are timed; what is to win must agree with the
// reference plugin in cases of the op's table (tails, alignments, layouts), and must not be slower at sizes that it was not chosen
// by.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <sstream>

#include "ops/conformance.hpp"
#include "ops/harness.hpp"
#include "ops/planned.hpp"
#include "ops/session.hpp"
#include "tools/tune.hpp"
#include "tools/tune_workloads.hpp"

namespace oncilla::tools {
namespace {

using test::Bench;
using test::Case;
using test::Description;
using test::PlanHandle;

constexpr size_t kSearched = 5, kHeld = 8;               // sizes of a group that the search times, and others at the end
constexpr size_t kRounds = 5, kLast = 15, kChecked = 9;  // turns of a comparison: in the search, at its end, of a check
constexpr double kLong = 0.3;                            // seconds of a comparison, beyond which it has fewer turns
constexpr double kTurn = 2e-3;                           // seconds of a turn at least
constexpr double kHopeless = 1.15;                       // of the fastest one's time at the sizes so far: not worth the others
constexpr double kNear = 1.5;                            // of the best variant's time: its parameters are searched
constexpr double kGain = 0.97;                           // of the choice's time: less is no noise
constexpr double kWorst = 1.1;                           // of the choice's time at any one size: one row serves them all
constexpr double kRival = 0.8;                           // of the fastest one's time: what comes after is compared with this one
constexpr double kStep = 0.995;                          // by which a parameter must help
constexpr size_t kVerified = 12;                         // cases of the table that fit a candidate
constexpr size_t kVariants = 3;                          // whose parameters are searched

void print(const Json& json) {
  std::printf("%s\n", json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}

double geometric_mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += std::log(v);
  return values.empty() ? 1 : std::exp(sum / static_cast<double>(values.size()));
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// "TM=12 VB=64" as JSON.
Json numbers(const char* text) {
  Json json = Json::object();
  std::istringstream in(text != nullptr ? text : "");
  for (std::string word; in >> word;) json[word.substr(0, word.find('='))] = std::stoll(word.substr(word.find('=') + 1));
  return json;
}

struct Choice {
  std::string variant;
  std::vector<std::pair<std::string, std::vector<int64_t>>> parameters;
};

// "tile:TM=4|8,VB=32|64 direct"
std::vector<Choice> choices_of(const char* text) {
  std::vector<Choice> found;
  std::istringstream in(text != nullptr ? text : "");
  for (std::string word; in >> word;) {
    Choice choice{word.substr(0, word.find(':')), {}};
    std::istringstream list(word.find(':') == std::string::npos ? "" : word.substr(word.find(':') + 1));
    for (std::string item; std::getline(list, item, ',');) {
      auto& [name, values] = choice.parameters.emplace_back();
      name = item.substr(0, item.find('='));
      std::istringstream numbers(item.substr(item.find('=') + 1));
      for (std::string number; std::getline(numbers, number, '|');) values.push_back(std::stoll(number));
    }
    found.push_back(std::move(choice));
  }
  return found;
}

// A workload's tensors on the device, one behind the other. All layouts of workloads are dense, so that a tensor's elements lie
// side by side in some order.
class Memory {
 public:
  Memory(Bench& bench, const Case& c) : bench_(bench), case_(c) {
    size_t at = 0;
    std::vector<std::byte> image;
    for (const auto* side : {&c.in, &c.out}) {
      for (const test::Tensor& t : *side) {
        const size_t bytes = t.dtype == 0 ? 0 : static_cast<size_t>(t.numel()) * test::item_bytes(t.dtype);
        args_.push_back({nullptr, at});
        if (side == &c.in && bytes > 0) {
          const test::Elements drawn = test::draw(t.dtype, t.numel(), t.fill, test::hash(c.name.c_str()) + args_.size());
          image.resize(at);
          image.insert(image.end(), drawn.begin(), drawn.end());
        }
        if (side == &c.out) sizes_.push_back(bytes);
        at += (bytes + 255) / 256 * 256;
      }
    }
    block_ = bench.device().allocator().allocate(std::max<size_t>(at, 256), bench.queue());
    for (onc_arg& arg : args_) arg = {block_.at.buffer, block_.at.offset + arg.offset};
    bench.queue().copy_h2d(block_.at, image.data(), image.size());
  }
  ~Memory() {
    bench_.device().allocator().free(block_.address);
    if (workspace_.bytes > 0) bench_.device().allocator().free(workspace_.address);
  }
  Memory(const Memory&) = delete;

  double time(PlanHandle& plan, size_t count) {
    const onc_arg workspace = workspace_for(plan);
    const double begin = test::now();
    for (size_t i = 0; i < count; ++i) plan.enqueue(case_, args_, args_.size(), workspace);
    bench_.queue().finish();
    return test::now() - begin;
  }

  // The outputs of one run, over bytes that no result has.
  std::vector<test::Elements> results(PlanHandle& plan) {
    std::vector<test::Elements> found;
    const onc_arg workspace = workspace_for(plan);
    for (size_t o = 0; o < sizes_.size(); ++o) {
      const unsigned char poison = 0xFF;
      if (sizes_[o] > 0) bench_.queue().fill(args_[case_.in.size() + o], sizes_[o], &poison, 1);
    }
    plan.enqueue(case_, args_, args_.size(), workspace);
    for (size_t o = 0; o < sizes_.size(); ++o) {
      found.emplace_back(sizes_[o]);
      bench_.queue().copy_d2h(found.back().data(), args_[case_.in.size() + o], sizes_[o]);
    }
    return found;
  }

 private:
  onc_arg workspace_for(PlanHandle& plan) {
    const uint64_t bytes = plan.info().workspace_bytes;
    if (bytes > workspace_.bytes) {
      if (workspace_.bytes > 0) bench_.device().allocator().free(workspace_.address);
      workspace_ = {};
      workspace_ = bench_.device().allocator().allocate(bytes, bench_.queue());
    }
    return bytes > 0 ? workspace_.at : onc_arg{nullptr, 0};
  }

  Bench& bench_;
  const Case& case_;
  Block block_, workspace_;
  std::vector<onc_arg> args_;
  std::vector<size_t> sizes_;
};

// The plan of a candidate, or nothing where it does not fit this size: then the plugin's next choice serves it.
std::unique_ptr<PlanHandle> plan_of(Bench& bench, const Case& c, const std::string& candidate) {
  const Description description(c, false, candidate);
  try {
    return std::make_unique<PlanHandle>(bench, description);
  } catch (const Error& error) {
    if (error.code() == ONC_NOT_FOUND) return nullptr;
    throw;
  }
}

// What a plan runs, as it can be forced: its variant, with those of its parameters that may be.
std::string candidate_of(const PlanHandle& plan) {
  Json row = {{"variant", plan.info().variant}, {"parameters", Json::object()}};
  const Json now = numbers(plan.info().parameters);
  for (const Choice& choice : choices_of(plan.info().choices)) {
    if (choice.variant != plan.info().variant) continue;
    for (const auto& [name, values] : choice.parameters) {
      if (now.contains(name) && std::find(values.begin(), values.end(), now[name].get<int64_t>()) != values.end())
        row["parameters"][name] = now[name];
    }
  }
  return candidate_name(row);
}

// One size: its memory, the plugin's choice and what that gives. Times are compared with those of a rival, at first the choice:
// that may be so slow that a search by it would take hours.
class Timed {
 public:
  // choice: what the plugin chooses, or, where that is wrong, another candidate, which fits.
  Timed(Bench& bench, const Workload& workload, const std::string& choice)
      : workload_(workload), bench_(bench), memory_(bench, workload.run), choice_(plan_of(bench, workload.run, choice)) {
    const double begin = test::now();
    expected_ = memory_.results(*choice_);
    choice_seconds_ = test::now() - begin;
    if (choice_seconds_ < kLong) choice_seconds_ = seconds(*choice_);
    adopt_choice();
  }
  const Workload& workload() const { return workload_; }

  // A candidate's time as a share of the choice's; 1 where it does not fit. Throws std::runtime_error if its results are not the
  // choice's.
  double ratio(const std::string& candidate, size_t rounds) {
    const std::unique_ptr<PlanHandle> plan = plan_of(bench_, workload_.run, candidate);
    if (!plan) return 1;
    const std::vector<test::Elements> got = memory_.results(*plan);
    for (size_t o = 0; o < got.size(); ++o) {
      const std::string difference = test::compare(workload_.run.out[o], got[o], expected_[o], test::Tolerance::standard);
      if (!difference.empty()) throw std::runtime_error(workload_.line + ": not what the choice gives: " + difference);
    }
    const double once = seconds(*plan);
    if (seconds_ > kLong) return last_ = factor_ * std::min(once, run(*plan, 1)) / seconds_;  // far from any noise
    const size_t count = count_of(once);
    const double both = once * static_cast<double>(count) + seconds_ * static_cast<double>(count_of(seconds_));
    const double most = rounds > kRounds ? 4 * kLong : kLong;  // what is to win is looked at longer
    rounds = std::clamp(static_cast<size_t>(most / both), size_t{1}, rounds);
    std::vector<double> ratios;
    for (size_t round = 0; round < rounds; ++round) {
      double a = 0, b = 0;
      if (round % 2 == 0) a = run(*rival_, count_of(seconds_)), b = run(*plan, count);
      if (round % 2 == 1) b = run(*plan, count), a = run(*rival_, count_of(seconds_));
      ratios.push_back(factor_ * b / a);
    }
    return last_ = median(std::move(ratios));
  }

  // The candidate whose ratio was asked last is the rival now; or the choice is.
  void adopt(const std::string& candidate) {
    std::unique_ptr<PlanHandle> plan = plan_of(bench_, workload_.run, candidate);
    if (!plan) return;  // the rival serves this size
    adopted_ = std::move(plan);
    rival_ = adopted_.get();
    factor_ = last_;
    seconds_ = seconds(*rival_);
  }
  void adopt_choice() {
    rival_ = choice_.get();
    factor_ = 1;
    seconds_ = choice_seconds_;
  }

 private:
  double run(PlanHandle& plan, size_t count) { return memory_.time(plan, count) / static_cast<double>(count); }
  double seconds(PlanHandle& plan) {
    const double once = memory_.time(plan, 1);
    return once > kLong / 20 ? once : std::min(once, memory_.time(plan, 1));
  }
  static size_t count_of(double once) {
    return std::clamp(static_cast<size_t>(std::ceil(kTurn / std::max(once, 1e-9))), size_t{1}, size_t{1000});
  }

  const Workload& workload_;
  Bench& bench_;
  Memory memory_;
  std::unique_ptr<PlanHandle> choice_, adopted_;
  std::vector<test::Elements> expected_;
  PlanHandle* rival_ = nullptr;
  double choice_seconds_ = 0;
  double factor_ = 1, seconds_ = 0, last_ = 1;  // the rival's time as a share of the choice's, and in seconds
};

// Some of a list, evenly over it.
template <class T>
std::vector<T> spread(const std::vector<T>& list, size_t most) {
  std::vector<T> some;
  for (size_t i = 0; i < std::min(most, list.size()); ++i)
    some.push_back(list[(2 * i + 1) * list.size() / (2 * std::min(most, list.size()))]);
  return some;
}

class Search {
 public:
  Search(const TuneOptions& options, Bench& bench, Bench& reference, const std::vector<Workload>& group)
      : options_(options), bench_(bench), reference_(reference), began_(test::now()) {
    std::vector<const Workload*> by_size;
    for (const Workload& w : group) by_size.push_back(&w);
    std::stable_sort(by_size.begin(), by_size.end(), [](const Workload* a, const Workload* b) { return work(*a) < work(*b); });
    chosen_ = spread(by_size, kSearched);
    std::erase_if(by_size, [&](const Workload* w) { return std::find(chosen_.begin(), chosen_.end(), w) != chosen_.end(); });
    held_ = spread(by_size, kHeld);
    std::swap(chosen_.front(), chosen_[chosen_.size() / 2]);  // what is hopeless shows at a middle size first
    skipped_.insert(options.skipped.begin(), options.skipped.end());
  }

  // Prints what wins.
  void run() {
    if (!begin()) return;
    variants();
    for (const std::string& variant : best_variants()) parameters(variant);
    print({{"tried", tried_.size()}});
    finish();
  }

  // One candidate only: is it right, and not slower?
  void confirm(const std::string& candidate) {
    if (!begin()) return;
    tried_[candidate] = {score(candidate), true};
    finish();
  }

 private:
  struct Tried {
    double time = 1;  // of the choice's
    bool right = false;
  };

  static double work(const Workload& w) {
    double elements = 1;
    for (const auto* side : {&w.run.in, &w.run.out}) {
      for (const test::Tensor& t : *side) elements *= t.dtype != 0 ? std::max<double>(1, static_cast<double>(t.numel())) : 1;
    }
    return elements;
  }
  bool late() const { return test::now() - began_ > options_.seconds; }

  // The geometric mean of a candidate's time over the sizes; NaN if it is wrong or does not run.
  double score(const std::string& candidate) {
    print({{"trying", candidate}});
    std::vector<double> ratios;
    try {
      for (const auto& timed : searched_) {
        ratios.push_back(timed->ratio(candidate, kRounds));
        if (geometric_mean(ratios) > kHopeless * (ratios.size() == 1 ? kHopeless : 1) * fastest_) break;
      }
    } catch (const std::exception& error) {
      wrong(candidate, error.what(), "");
      return NAN;
    }
    const double time = geometric_mean(ratios);
    if (ratios.size() == searched_.size()) fastest_ = std::min(fastest_, time);
    if (ratios.size() == searched_.size() && time < kRival * rival_) {
      for (const auto& timed : searched_) timed->adopt(candidate);
      rival_ = time;
    }
    return time;
  }

  void wrong(const std::string& candidate, const std::string& message, const std::string& reproducer) {
    print({{"wrong", candidate}, {"message", message}, {"reproducer", reproducer}});
    skipped_.insert(candidate);
  }

  // The score, kept.
  double tried(const std::string& candidate) {
    if (skipped_.contains(candidate)) return NAN;
    const auto [found, fresh] = tried_.try_emplace(candidate);
    if (fresh) {
      const double time = score(candidate);
      found->second = {time, !std::isnan(time)};
    }
    return found->second.right ? found->second.time : NAN;
  }

  // Finds what the others are compared with: the plugin's choice, or where that is wrong, the first variant that is right. False if
  // there is none.
  bool begin() {
    std::map<std::string, size_t> counts;
    for (const Workload* w : chosen_) {
      const std::unique_ptr<PlanHandle> plan = plan_of(bench_, w->run, "");
      ++counts[plan->info().variant];
      for (Choice& choice : choices_of(plan->info().choices)) {
        if (own_.contains(choice.variant) || skipped_.contains(choice.variant)) continue;
        own_[choice.variant] = start_of(*w, choice);
        choices_[choice.variant] = std::move(choice);
      }
    }
    const auto most =
        std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    own_choice_ = own_.contains(most->first) ? own_[most->first] : most->first;
    choice_right_ = !skipped_.contains(own_choice_) && verify(own_choice_);
    std::string trusted;  // "": the choice
    for (auto variant = own_.begin(); !choice_right_ && trusted.empty() && variant != own_.end(); ++variant) {
      if (!skipped_.contains(variant->second) && verify(variant->second)) trusted = variant->second;
    }
    if (!choice_right_ && trusted.empty()) {
      print({{"keeps", own_choice_}, {"right", false}, {"verified", 0}});
      return false;
    }
    trusted_ = trusted;
    for (const Workload* w : chosen_) {
      print({{"trying", trusted.empty() ? own_choice_ : trusted}});
      if (trusted.empty() || plan_of(bench_, w->run, trusted)) searched_.push_back(std::make_unique<Timed>(bench_, *w, trusted));
    }
    std::erase_if(held_, [&](const Workload* w) { return !trusted.empty() && !plan_of(bench_, w->run, trusted); });
    if (searched_.empty()) print({{"keeps", own_choice_}, {"right", false}, {"verified", 0}});
    return !searched_.empty();
  }

  // Every variant, with its row's parameters, and with the middle one of each one's values: what suits another kind of device may
  // be far from the best in every parameter.
  void variants() {
    for (const auto& [variant, name] : own_) {
      start_[variant] = name;
      if (late() && name != own_choice_ && name != trusted_) continue;
      tried(name);
      Json middle = {{"variant", variant}, {"parameters", Json::object()}};
      for (const auto& [parameter, values] : choices_[variant].parameters)
        middle["parameters"][parameter] = values[values.size() / 2];
      const std::string other = candidate_name(middle);
      if (!late() && tried(other) < tried(name)) start_[variant] = other;
    }
  }

  std::string start_of(const Workload& workload, const Choice& choice) {
    print({{"trying", choice.variant}});
    const std::unique_ptr<PlanHandle> plan = plan_of(bench_, workload.run, choice.variant);
    return candidate_of(*plan);
  }

  std::vector<std::string> best_variants() {
    std::vector<std::pair<double, std::string>> order;
    for (const auto& [variant, name] : start_) {
      const auto found = tried_.find(name);
      if (found != tried_.end() && found->second.right) order.emplace_back(found->second.time, variant);
    }
    std::sort(order.begin(), order.end());
    std::vector<std::string> names;
    for (const auto& [time, variant] : order) {
      if (names.size() < kVariants && time <= kNear * order.front().first) names.push_back(variant);
    }
    return names;
  }

  void parameters(const std::string& variant) {
    Json row = {{"variant", variant}, {"parameters", parameters_of(start_[variant])}};
    double best = tried(start_[variant]);
    for (bool better = true; better && !late();) {
      better = false;
      for (const auto& [name, values] : choices_[variant].parameters) {
        for (const int direction : {1, -1}) {
          if (late()) return;
          while (!late() && step(row, name, values, direction, best)) better = true;
        }
      }
    }
  }

  // Takes the next value of a parameter if that helps.
  bool step(Json& row, const std::string& name, const std::vector<int64_t>& values, int direction, double& best) {
    size_t at = values.size();
    if (row["parameters"].contains(name))
      at = static_cast<size_t>(std::find(values.begin(), values.end(), row["parameters"][name].get<int64_t>()) - values.begin());
    if (at == values.size() ? direction < 0 : direction > 0 ? at + 1 == values.size() : at == 0) return false;
    Json next = row;
    next["parameters"][name] = at == values.size() ? values.front() : values[direction > 0 ? at + 1 : at - 1];
    const double time = tried(candidate_name(next));
    if (!(time < kStep * best)) return false;
    row = std::move(next);
    best = time;
    return true;
  }

  // Cases of the op's table that the candidate serves. False if one is wrong.
  bool verify(const std::string& candidate) {
    const Case& like = chosen_.front()->run;
    std::vector<const Case*> table;
    for (const Case& c : all_cases()) {
      if (c.op == like.op && !c.gradient_only && test::first_dtype(c) == std::string(test::first_dtype(like))) table.push_back(&c);
    }
    std::set<const Case*> seen;
    size_t passed = 0;
    for (size_t most = kVerified; passed < kVerified; most *= 2) {
      for (const Case* c : spread(table, most)) {
        if (passed == kVerified || !seen.insert(c).second) continue;
        print({{"verifying", candidate}, {"case", c->name}});
        for (const test::Result& result : test::run_case(*c, bench_, reference_, {candidate})) {
          if (result.state == test::Result::State::passed) ++passed;
          if (result.state != test::Result::State::failed) continue;
          wrong(candidate, result.name + ": " + result.message,
                "oncilla conformance --op " + std::string(test::op_name(like.op)) + " --variant " + candidate + " --case '" +
                    c->name.substr(c->name.find('/') + 1) + "'");
          return false;
        }
      }
      if (most >= table.size()) break;
    }
    verified_ = passed;
    return true;
  }
  static const test::Cases& all_cases() {
    static const test::Cases cases = test::all_cases();
    return cases;
  }

  // The candidates in their order: the first that is right, and faster than the choice also at sizes that it was not chosen by. If
  // the choice itself is wrong, the first that is right.
  void finish() {
    std::vector<std::pair<double, std::string>> order;
    for (const auto& [name, result] : tried_) {
      if (result.right && !skipped_.contains(name)) order.emplace_back(result.time, name);
    }
    std::sort(order.begin(), order.end());
    for (const auto& [time, name] : order) {
      if (choice_right_ && (time > kGain || name == own_choice_)) break;
      if (verify(name) && verified_ > 0 && accept(name)) return;
    }
    print({{"keeps", own_choice_}, {"right", choice_right_}, {"verified", verified_}});
  }

  bool accept(const std::string& name) {
    std::vector<double> searched, held;
    try {
      for (const auto& timed : searched_) {
        timed->adopt_choice();
        searched.push_back(timed->ratio(name, kLast));
      }
      for (const Workload* w : held_) {
        print({{"confirming", name}, {"at", w->line}});
        held.push_back(Timed(bench_, *w, trusted_).ratio(name, kLast));
      }
    } catch (const std::exception& error) {
      wrong(name, error.what(), "");
      return false;
    }
    const double at_searched = geometric_mean(searched), at_held = geometric_mean(held);
    searched.insert(searched.end(), held.begin(), held.end());
    const double worst = *std::max_element(searched.begin(), searched.end());
    if (choice_right_ && (at_searched > kGain || at_held > 1 || worst > kWorst)) return false;
    print({{"wins", name},
           {"variant", variant_of(name)},
           {"parameters", parameters_of(name)},
           {"speed", 1 / at_searched},
           {"speed_held", 1 / at_held},
           {"held", held.size()},
           {"verified", verified_}});
    return true;
  }

  const TuneOptions& options_;
  Bench &bench_, &reference_;
  const double began_;
  std::vector<std::unique_ptr<Timed>> searched_;
  std::vector<const Workload*> chosen_, held_;
  std::string own_choice_, trusted_;  // the plugin's choice; what stands for it where it is wrong, else ""
  bool choice_right_ = false;
  std::set<std::string> skipped_;
  std::map<std::string, std::string> own_, start_;  // variant, candidate: with its row's parameters; where the search begins
  std::map<std::string, Choice> choices_;
  std::map<std::string, Tried> tried_;
  double rival_ = 1,
         fastest_ = 1;  // the times of what candidates are compared with, and of the fastest one, as shares of the choice's
  size_t verified_ = 0;
};

std::string text_of(const char* value) { return value != nullptr ? value : ""; }

std::unique_ptr<Bench> open(const TuneOptions& options, const std::string& rows) {
  Registry& registry = Registry::get();
  if (options.device >= registry.entries().size())
    throw std::runtime_error("there is no device " + std::to_string(options.device) + "; `oncilla devices` lists them");
  const Registry::Entry& entry = registry.entries()[options.device];
  return std::make_unique<Bench>(entry.backend, entry.index, rows.c_str());
}

// The rows under which a search begins: the shipped ones, or those for any device.
std::string start_rows(const TuneOptions& options) { return options.scratch ? "only:" : ""; }

void list(const TuneOptions& options) {
  const std::unique_ptr<Bench> bench = open(options, start_rows(options));
  const onc_device_info& info = bench->device().info();
  print({{"device", {{"platform", text_of(info.platform)}, {"name", text_of(info.name)}}}, {"driver", text_of(info.driver)}});
  const std::vector<Workload> all = workloads(options.dtypes);
  for (size_t i = 0; i < all.size(); ++i) {
    const std::string op = test::op_name(all[i].run.op);
    if (!options.ops.empty() && std::find(options.ops.begin(), options.ops.end(), op) == options.ops.end()) continue;
    print({{"planning", all[i].line}});
    try {
      const std::unique_ptr<PlanHandle> plan = plan_of(*bench, all[i].run, "");
      print({{"workload", i},
             {"op", op},
             {"dtype", test::first_dtype(all[i].run)},
             {"shape_class", text_of(plan->info().shape_class)},
             {"choices", text_of(plan->info().choices)}});
    } catch (const Error& error) {
      if (error.code() != ONC_UNIMPLEMENTED) throw;
      print({{"declined", all[i].line}, {"message", error.what()}});
    }
  }
}

std::vector<Workload> chosen_workloads(const TuneOptions& options) {
  const std::vector<Workload> all = workloads(options.dtypes);
  std::vector<Workload> group;
  for (const size_t i : options.workloads) group.push_back(all.at(i));
  return group;
}

void search(const TuneOptions& options) {
  const std::unique_ptr<Bench> bench = open(options, start_rows(options));
  Bench reference(Backend::named("reference"), 0);
  const std::vector<Workload> group = chosen_workloads(options);
  Search search(options, *bench, reference, group);
  options.candidate.empty() ? search.run() : search.confirm(options.candidate);
}

// The user's rows beside the shipped ones, on two devices opened of the same one.
void check(const TuneOptions& options) {
  const std::unique_ptr<Bench> shipped = open(options, ""), own = open(options, (options.scratch ? "only:" : "") + options.file);
  for (const Workload& workload : chosen_workloads(options)) {
    print({{"timing", workload.line}});
    const std::unique_ptr<PlanHandle> plan = plan_of(*own, workload.run, "");
    const std::string name = candidate_of(*plan);
    Timed timed(*shipped, workload, "");
    print({{"line", workload.line}, {"candidate", name}, {"speed", 1 / timed.ratio(name, kChecked)}});
  }
}

}  // namespace

int tune_work(const TuneOptions& options) {
  if (options.step == "list") list(options);
  if (options.step == "search") search(options);
  if (options.step == "check") check(options);
  return 0;
}

}  // namespace oncilla::tools
