// A trace of plans as Chrome trace JSON (chrome://tracing, Perfetto): one host span for each run, and one device span where the
// queue profiles. Off by default: then a run pays one relaxed load. ONCILLA_TRACE=FILE starts it at load and writes FILE at exit.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "core/device.hpp"

namespace oncilla {

class Trace {
 public:
  static Trace& get();
  bool on() const { return on_.load(std::memory_order_relaxed); }
  void start();
  void stop();
  // Called by Op::run. shapes: for example "float32[2, 3]".
  void record(const char* op, const std::string& variant, const std::string& shapes, uint64_t host_begin_ns, uint64_t host_end_ns,
              Queue& queue, Event begin, Event end);
  std::string json();                   // resolves the device times; finishes no queue: unfinished spans are left out
  void write(const std::string& path);  // temporary name, then rename
 private:
  std::atomic<bool> on_{false};
};

}  // namespace oncilla
