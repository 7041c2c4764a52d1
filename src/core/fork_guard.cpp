// The state behind fork_guard.hpp.
#include "core/fork_guard.hpp"

#include <pthread.h>
#include <unistd.h>

#include <mutex>
#include <string>

#include "core/error.hpp"

namespace oncilla::fork_guard {

std::atomic<bool> child{false};
std::atomic<bool> entered{false};

void enter_slow() {
  static std::once_flag once;
  std::call_once(once, [] {
    pthread_atfork(nullptr, nullptr, [] { child.store(true, std::memory_order_relaxed); });
    entered.store(true, std::memory_order_release);
  });
}

void fail(const char* who) {
  throw Error(ONC_UNAVAILABLE,
              std::string("[") + who + "] process " + std::to_string(::getpid()) +
                  " was forked after its parent had used a device; open devices in the child only, or spawn it instead");
}

}  // namespace oncilla::fork_guard
