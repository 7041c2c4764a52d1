// A process that forks after it has talked to a driver leaves the child with the driver's locks and without its threads. This guard
// knows whether we are such a child, so that the child gets an error instead of a hang.
#pragma once

#include <atomic>

namespace oncilla::fork_guard {

extern std::atomic<bool> child;    // this process was forked from one that had entered
extern std::atomic<bool> entered;  // a plugin's device functions were called in this process or an ancestor

void enter_slow();
[[noreturn]] void fail(const char* who);

inline bool in_child() { return child.load(std::memory_order_relaxed); }

// Throws Error ONC_UNAVAILABLE in a child. who: the bracketed part of the message.
inline void check(const char* who) {
  if (in_child()) [[unlikely]]
    fail(who);
}

// check(), and marks the process as one whose children are guarded.
inline void enter(const char* who) {
  check(who);
  if (!entered.load(std::memory_order_acquire)) [[unlikely]]
    enter_slow();
}

}  // namespace oncilla::fork_guard
