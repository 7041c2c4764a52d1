// The pool. Messages are lines of JSON: a case's number one way; the subject, then the results of each case, then the program
// counts the other way. An empty line asks the worker to end.
#include "ops/workers.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "ops/session.hpp"

extern char** environ;

namespace oncilla::test {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

// Lines over a socket.
class Channel {
 public:
  explicit Channel(int fd = -1) : fd_(fd) {}
  int fd() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  // False if the other side is gone.
  bool send(const std::string& line) const {
    const std::string bytes = line + "\n";
    for (size_t done = 0; done < bytes.size();) {
      const ssize_t n = ::send(fd_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      done += static_cast<size_t>(n);
    }
    return true;
  }

  // Waits for bytes; false at the end.
  bool receive() {
    std::array<char, 1 << 16> chunk;
    ssize_t n = 0;
    do n = ::read(fd_, chunk.data(), chunk.size());
    while (n < 0 && errno == EINTR);
    if (n <= 0) return false;
    pending_.append(chunk.data(), static_cast<size_t>(n));
    return true;
  }

  // Takes a whole line out of what was received.
  bool take(std::string& line) {
    const size_t end = pending_.find('\n');
    if (end == std::string::npos) return false;
    line = pending_.substr(0, end);
    pending_.erase(0, end + 1);
    return true;
  }

 private:
  int fd_;
  std::string pending_;
};

Json json_of(const Result& r) {
  return {{"name", r.name},       {"variant", r.variant}, {"state", static_cast<int>(r.state)},
          {"message", r.message}, {"seconds", r.seconds}, {"error", r.error}};
}

Result result_of(const Json& j) {
  Result r{.name = j["name"], .variant = j["variant"], .message = j["message"]};
  r.state = static_cast<Result::State>(j["state"].get<int>());
  r.seconds = j["seconds"].get<double>();
  r.error = j["error"].get<double>();
  return r;
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// This process's own command line, and --worker.
std::vector<std::string> worker_arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string word; std::getline(file, word, '\0');) arguments.push_back(word);
  arguments.emplace_back("--worker");
  return arguments;
}

// pocl's cache is not made for several processes at once.
std::vector<std::string> worker_environment(size_t index) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (text.rfind("POCL_CACHE_DIR=", 0) != 0) {
      environment.push_back(text);
      continue;
    }
    const std::string folder = text.substr(text.find('=') + 1) + "/shard-" + std::to_string(index);
    std::filesystem::create_directories(folder);
    environment.push_back("POCL_CACHE_DIR=" + folder);
  }
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// Cases that share kernels (names alike up to the first blank) stay together, so that no two processes compile the same.
using Group = std::deque<size_t>;
std::vector<std::deque<Group>> deal(const Cases& cases, size_t parts) {
  std::vector<std::string> order;
  std::map<std::string, Group> groups;
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::string name = cases[i].name.substr(0, cases[i].name.find(' '));
    if (groups[name].empty()) order.push_back(name);
    groups[name].push_back(i);
  }
  // The largest first, each to the part that has the fewest cases.
  std::stable_sort(order.begin(), order.end(), [&](const auto& a, const auto& b) { return groups[a].size() > groups[b].size(); });
  std::vector<size_t> loads(parts, 0);
  std::vector<std::deque<Group>> dealt(parts);
  for (const std::string& name : order) {
    const auto least = static_cast<size_t>(std::min_element(loads.begin(), loads.end()) - loads.begin());
    loads[least] += groups[name].size();
    dealt[least].push_back(std::move(groups[name]));
  }
  return dealt;
}

class Pool {
 public:
  Pool(const Cases& cases, const Options& options, Report& report)
      : cases_(cases), options_(options), report_(report), work_(deal(cases, options.jobs)), workers_(options.jobs) {}
  ~Pool() {
    for (Worker& worker : workers_) {
      if (worker.pid < 0) continue;
      kill(worker.pid, SIGKILL);
      waitpid(worker.pid, nullptr, 0);
      worker.channel.close();
    }
  }
  Pool(const Pool&) = delete;

  void run() {
    for (size_t i = 0; i < workers_.size(); ++i) {
      if (has_work(i)) start(i);
    }
    while (std::any_of(workers_.begin(), workers_.end(), [](const Worker& w) { return w.pid >= 0; })) wait_once();
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;
  struct Worker {
    pid_t pid = -1;
    Channel channel;
    bool ready = false, ending = false;
    size_t current = kNone;  // the case that it runs
    Clock::time_point deadline;
  };

  void start(size_t index) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw std::runtime_error("no socket for a worker");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    std::vector<std::string> arguments = worker_arguments(), environment = worker_environment(index);
    Worker worker;
    const int failed =
        posix_spawn(&worker.pid, "/proc/self/exe", &actions, nullptr, pointers(arguments).data(), pointers(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    worker.channel = Channel(ends[0]);
    if (failed != 0) {
      worker.channel.close();
      throw std::runtime_error(std::string("cannot start a worker: ") + std::strerror(failed));
    }
    worker.deadline = due();
    workers_[index] = std::move(worker);
  }

  Clock::time_point due() const {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.limit));
  }

  // The next case for a worker: from its own groups, or the last group of the worker that has most of them left.
  size_t next(size_t index) {
    auto& own = work_[index];
    if (own.empty()) {
      auto& other = *std::max_element(work_.begin(), work_.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
      if (other.size() < 2) return kNone;  // the first of its groups is begun
      own.push_back(std::move(other.back()));
      other.pop_back();
    }
    const size_t i = own.front().front();
    own.front().pop_front();
    if (own.front().empty()) own.pop_front();
    return i;
  }
  bool has_work(size_t index) const { return !work_[index].empty(); }

  void give(size_t index) {
    Worker& worker = workers_[index];
    worker.current = next(index);
    worker.ending = worker.current == kNone;
    worker.deadline = due();
    if (!worker.ending) report_.starting(cases_[worker.current]);
    worker.channel.send(worker.ending ? "" : std::to_string(worker.current));  // a worker that is gone is noticed when it is read
  }

  void wait_once() {
    std::vector<pollfd> fds;
    std::vector<size_t> who;
    auto first = Clock::time_point::max();
    for (size_t i = 0; i < workers_.size(); ++i) {
      if (workers_[i].pid < 0) continue;
      fds.push_back({workers_[i].channel.fd(), POLLIN, 0});
      who.push_back(i);
      first = std::min(first, workers_[i].deadline);
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(first - Clock::now()).count();
    if (poll(fds.data(), fds.size(), static_cast<int>(std::clamp<int64_t>(left + 1, 0, 60'000))) < 0 && errno != EINTR)
      throw std::runtime_error("cannot wait for workers");
    for (size_t k = 0; k < fds.size(); ++k) {
      Worker& worker = workers_[who[k]];
      if (fds[k].revents != 0) {
        hear(who[k]);
      } else if (Clock::now() > worker.deadline) {
        kill(worker.pid, SIGKILL);
        end(who[k], "took longer than " + std::to_string(static_cast<long>(options_.limit)) + " s and was stopped");
      }
    }
  }

  void hear(size_t index) {
    Worker& worker = workers_[index];
    if (!worker.channel.receive()) return end(index, "");
    for (std::string line; worker.channel.take(line);) {
      const Json message = Json::parse(line);
      if (message.contains("subject")) {
        const Json& s = message["subject"];
        report_.subject({s["plugin"], s["device"], s["driver"]});
        worker.ready = true;
        give(index);
      } else if (message.contains("built")) {
        report_.programs(message["built"].get<uint64_t>(), message["cached"].get<uint64_t>());
      } else {
        std::vector<Result> results;
        for (const Json& r : message["results"]) results.push_back(result_of(r));
        report_.add(cases_[worker.current], results);
        give(index);
      }
    }
  }

  // The worker's process is at its end, or is killed because `why`.
  void end(size_t index, std::string why) {
    Worker& worker = workers_[index];
    int status = 0;
    waitpid(worker.pid, &status, 0);
    worker.channel.close();
    worker.pid = -1;
    if (why.empty())
      why = WIFSIGNALED(status) ? std::string("the process was ended by signal ") + std::to_string(WTERMSIG(status)) + " (" +
                                      strsignal(WTERMSIG(status)) + ")"
                                : "the process ended with status " + std::to_string(WEXITSTATUS(status));
    if (!worker.ready) throw std::runtime_error("a worker did not begin: " + why);
    if (worker.current != kNone) {
      const Case& c = cases_[worker.current];
      report_.add(c, {{.name = c.name, .state = Result::State::failed, .message = why}});
    } else if (status != 0) {
      report_.trouble("after the last case: " + why);
    }
    if (!worker.ending && has_work(index)) start(index);
  }

  const Cases& cases_;
  const Options& options_;
  Report& report_;
  std::vector<std::deque<Group>> work_;  // of each worker
  std::vector<Worker> workers_;
};

}  // namespace

void run_in_workers(const Cases& cases, const Options& options, Report& report) { Pool(cases, options, report).run(); }

int serve(const Cases& cases, const Options& options) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Channel channel(STDIN_FILENO);
  Session session(options);
  const Subject subject = session.subject();
  channel.send(dump({{"subject", {{"plugin", subject.plugin}, {"device", subject.device}, {"driver", subject.driver}}}}));
  for (std::string line;;) {
    while (!channel.take(line)) {
      if (!channel.receive()) return 0;
    }
    if (line.empty()) break;
    Json results = Json::array();
    for (const Result& r : session.run(cases.at(std::stoul(line)))) results.push_back(json_of(r));
    channel.send(dump({{"results", std::move(results)}}));
  }
  uint64_t built = 0, cached = 0;
  session.programs(built, cached);
  channel.send(dump({{"built", built}, {"cached", cached}}));
  return 0;
}

}  // namespace oncilla::test
