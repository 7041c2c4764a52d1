// A trace of plans as Chrome trace JSON (chrome://tracing, Perfetto): one host span for each run; where the queue
// profiles one device span, and where the plugin can one span of each kernel inside it. Off by default: then a run pays one relaxed
// load. ONCILLA_TRACE=FILE starts it at load and writes FILE at exit.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "core/device.hpp"

namespace oncilla {

struct TraceSpan {
  std::string name, shapes;
  uint64_t begin_ns, end_ns;  // steady clock
  uint64_t track;             // host: thread; device: queue
  const Device* device;       // NULL for the host's part
  uint64_t tag;               // see set_tag
  uint64_t enqueued_ns;       // when the host enqueued it
  bool kernel = false;        // a launch, inside the device span of its plan
};

class Trace {
 public:
  static Trace& get();
  bool on() const { return on_.load(std::memory_order_relaxed); }
  void start();
  void stop();
  // Called by Op::run and by a queue's copies. shapes: for example "float32[2, 3]", or "512 bytes".
  void record(const char* op, const std::string& variant, const std::string& shapes, uint64_t host_begin_ns, uint64_t host_end_ns,
              Queue& queue, Event begin, Event end);
  // A number that the spans of this thread's ops carry from now on: a profiler's name for who runs them. Returns the one before.
  static uint64_t set_tag(uint64_t tag);
  static uint64_t tag();
  // What was enqueued at or after a time of the steady clock, resolved as in json().
  std::vector<TraceSpan> spans(uint64_t since_ns);
  std::string json();                   // resolves the device times; finishes no queue: unfinished spans are left out
  void write(const std::string& path);  // temporary name, then rename
 private:
  std::atomic<bool> on_{false};
};

}  // namespace oncilla
