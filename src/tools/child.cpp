#include "tools/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <utility>

extern char** environ;

namespace oncilla::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kErrorBytes = 4000;

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe for a child");
    read = ends[0], write = ends[1];
  }
  ~Pipe() {
    if (read >= 0) close(read);
    if (write >= 0) close(write);
  }
  Pipe(const Pipe&) = delete;
  void close_write() { close(std::exchange(write, -1)); }
};

// False at the end.
bool receive(int fd, std::string& into) {
  std::array<char, 1 << 14> chunk;
  ssize_t n = 0;
  do n = read(fd, chunk.data(), chunk.size());
  while (n < 0 && errno == EINTR);
  if (n > 0) into.append(chunk.data(), static_cast<size_t>(n));
  return n > 0;
}

}  // namespace

Ended run_child(const std::vector<std::string>& arguments, double limit, const std::function<void(const std::string&)>& line) {
  Pipe out, err;
  std::vector<std::string> texts = {"oncilla"};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write, STDERR_FILENO);
  pid_t pid = -1;
  const int failed = posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error(std::string("cannot start a process: ") + std::strerror(failed));
  out.close_write();
  err.close_write();

  Ended ended;
  std::string pending;
  const auto span = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limit));
  auto deadline = Clock::now() + span;
  std::array<pollfd, 2> fds = {{{out.read, POLLIN, 0}, {err.read, POLLIN, 0}}};
  while (fds[0].fd >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      kill(pid, SIGKILL);
      ended.how = "was stopped, because nothing came from it for " + std::to_string(static_cast<long>(limit)) + " s";
      break;
    }
    if (poll(fds.data(), fds.size(), static_cast<int>(std::min<int64_t>(left, 1000))) <= 0) continue;
    if (fds[1].revents != 0) {
      if (!receive(err.read, ended.errors)) fds[1].fd = -1;
      if (ended.errors.size() > kErrorBytes) ended.errors.erase(0, ended.errors.size() - kErrorBytes);
    }
    if (fds[0].revents == 0) continue;
    if (!receive(out.read, pending)) fds[0].fd = -1;
    for (size_t end = 0; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
      line(pending.substr(0, end));
      deadline = Clock::now() + span;
    }
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  fcntl(err.read, F_SETFL, O_NONBLOCK);
  while (receive(err.read, ended.errors)) {
  }
  if (WIFEXITED(status)) ended.status = WEXITSTATUS(status);
  if (!ended.how.empty()) return ended;
  if (WIFSIGNALED(status)) {
    ended.how = "was ended by signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")";
  } else if (ended.status > 2) {
    ended.how = "ended with status " + std::to_string(ended.status);
  }
  return ended;
}

}  // namespace oncilla::tools
