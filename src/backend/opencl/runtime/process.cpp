#include "runtime/process.hpp"

#include <pthread.h>

#include <atomic>
#include <mutex>

#include "kit/error.hpp"

namespace oncilla::ocl {

namespace {
std::atomic<bool> in_child{false};
}

void watch_fork() {
  static std::once_flag once;
  std::call_once(once, [] { pthread_atfork(nullptr, nullptr, [] { in_child.store(true, std::memory_order_relaxed); }); });
}

bool forked() { return in_child.load(std::memory_order_relaxed); }

void require_same_process(const char* op) {
  if (forked()) {
    throw kit::Error(ONC_UNAVAILABLE, kit::cat("[", op,
                                               "] OpenCL was in use before fork(), so this child process cannot use it; "
                                               "start workers with spawn, or keep them on host memory"));
  }
}

}  // namespace oncilla::ocl
