#include "ops/jobs.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace oncilla::test {
namespace {

struct Job {
  pid_t pid = -1;
  int out = -1;
  std::string output;
  int status = 0;
};

// pocl's cache is not made for several processes at once.
std::vector<std::string> environment_of(size_t index) {
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

Job start(std::vector<std::string> arguments, size_t index, size_t jobs) {
  arguments.push_back("--shard");
  arguments.push_back(std::to_string(index) + "/" + std::to_string(jobs));
  std::vector<std::string> environment = environment_of(index);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe for a job");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  Job job;
  job.out = ends[0];
  const int failed =
      posix_spawn(&job.pid, "/proc/self/exe", &actions, nullptr, pointers(arguments).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (failed != 0) throw std::runtime_error("cannot start job " + std::to_string(index));
  return job;
}

void collect(Job& job) {
  std::array<char, 4096> chunk;
  for (ssize_t n = 0; (n = read(job.out, chunk.data(), chunk.size())) > 0;) job.output.append(chunk.data(), static_cast<size_t>(n));
  close(job.out);
  waitpid(job.pid, &job.status, 0);
}

}  // namespace

Cases shard(Cases cases, size_t index, size_t count) {
  std::vector<std::string> order;
  std::map<std::string, size_t> sizes;
  const auto group = [](const Case& c) { return c.name.substr(0, c.name.find(' ')); };
  for (const Case& c : cases) {
    if (sizes[group(c)]++ == 0) order.push_back(group(c));
  }
  // The largest groups first, each to the part that has the fewest cases.
  std::stable_sort(order.begin(), order.end(), [&](const auto& a, const auto& b) { return sizes[a] > sizes[b]; });
  std::vector<size_t> loads(count, 0);
  std::map<std::string, size_t> part;
  for (const std::string& name : order) {
    const auto least = std::min_element(loads.begin(), loads.end());
    *least += sizes[name];
    part[name] = static_cast<size_t>(least - loads.begin());
  }
  std::erase_if(cases, [&](const Case& c) { return part[group(c)] != index; });
  return cases;
}

int run_jobs(const std::vector<std::string>& arguments, size_t jobs) {
  std::vector<Job> running;
  for (size_t i = 0; i < jobs; ++i) running.push_back(start(arguments, i, jobs));
  std::vector<std::thread> readers;
  for (Job& job : running) readers.emplace_back([&job] { collect(job); });
  for (std::thread& reader : readers) reader.join();

  size_t passed = 0, failed = 0;
  for (size_t i = 0; i < jobs; ++i) {
    const Job& job = running[i];
    size_t end = job.output.find_last_not_of('\n');
    const size_t begin = end == std::string::npos ? 0 : job.output.rfind('\n', end) + 1;
    size_t p = 0, f = 0;
    if (std::sscanf(job.output.c_str() + begin, "%zu passed, %zu failed", &p, &f) == 2) {
      std::cout << job.output.substr(0, begin);
    } else {
      std::cout << job.output << "FAILED: job " << i << " of " << jobs << " did not come to its end"
                << (WIFSIGNALED(job.status) ? " (signal " + std::to_string(WTERMSIG(job.status)) + ")" : "") << std::endl;
      f = 1;
    }
    passed += p;
    failed += f;
  }
  std::cout << passed << " passed, " << failed << " failed" << std::endl;
  return failed > 0 || passed == 0 ? 1 : 0;  // a part may be empty, the whole may not
}

}  // namespace oncilla::test
