// Collects spans and writes them as Chrome trace events (trace.hpp). Device times are read as soon as an event is done, a few spans
// at a time, so that few events are alive and little is left to ask a driver at exit.
#include "core/trace.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "core/fork_guard.hpp"

namespace oncilla {
namespace {

constexpr size_t kMostSpans = 2'000'000;  // about 400 MB; what comes later is counted, not kept

struct Pending {
  std::string name, shapes;
  uint64_t queue;
  const Device* device;
  uint64_t host_begin_ns, tag;
  Event begin, end;
};

// The first event of a queue, and the host's clock when it was recorded: device times become host times by their distance from it.
struct Anchor {
  Event event;
  uint64_t host_ns;
};

struct State {
  std::mutex mutex;
  std::vector<TraceSpan> spans;
  std::deque<Pending> pending;
  std::map<uint64_t, Anchor> anchors;
  uint64_t dropped = 0;
  std::string exit_path;
  bool written_at_exit = false, exit_handler_after_driver = false;
};

State& state() {
  static auto* it = new State;  // leaked: used at exit
  return *it;
}

thread_local uint64_t current_tag = 0;

uint64_t thread_number() {
  static std::atomic<uint64_t> last{0};
  static thread_local const uint64_t number = ++last;
  return number;
}

// Turns the pending spans whose events are done into device spans, oldest first. The lock is held.
void resolve(State& s) {
  while (!s.pending.empty()) {
    Pending& span = s.pending.front();
    try {
      if (!span.end.done()) return;
      auto anchor = s.anchors.find(span.queue);
      if (anchor == s.anchors.end())
        anchor = s.anchors.emplace(span.queue, Anchor{std::move(span.begin), span.host_begin_ns}).first;
      const Event& begin = span.begin ? span.begin : anchor->second.event;
      const double start = span.begin ? begin.elapsed_ns(anchor->second.event) : 0.0;
      const double length = span.end.elapsed_ns(begin);
      const auto begin_ns = anchor->second.host_ns + static_cast<uint64_t>(start > 0 ? start : 0);
      const auto kernels = span.end.kernels(begin);
      s.spans.push_back({std::move(span.name), std::move(span.shapes), begin_ns,
                         begin_ns + static_cast<uint64_t>(length > 0 ? length : 0), span.queue, span.device, span.tag,
                         span.host_begin_ns});
      const auto after = [&](double ns) { return begin_ns + static_cast<uint64_t>(ns > 0 ? ns : 0); };
      for (const KernelTime& k : kernels)
        s.spans.push_back(
            {k.name, "", after(k.begin_ns), after(k.end_ns), span.queue, span.device, span.tag, span.host_begin_ns, true});
    } catch (const Error&) {
      ++s.dropped;  // its work failed or cannot be timed; the queue tells its user why
    }
    s.pending.pop_front();
  }
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof(code), "\\u%04x", c);
      out += code;
    } else {
      out += c;
    }
  }
  return out;
}

void write_at_exit() {
  State& s = state();
  if (fork_guard::in_child() || s.written_at_exit) return;
  s.written_at_exit = true;
  try {
    Trace::get().write(s.exit_path);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());  // nobody is left to catch it
  }
}

}  // namespace

Trace& Trace::get() {
  static auto* trace = new Trace;
  return *trace;
}

void Trace::start() {
  State& s = state();
  std::lock_guard lock(s.mutex);
  s.spans.clear();
  s.pending.clear();
  s.anchors.clear();
  s.dropped = 0;
  on_.store(true, std::memory_order_relaxed);
}

void Trace::stop() {
  on_.store(false, std::memory_order_relaxed);
  State& s = state();
  std::lock_guard lock(s.mutex);
  resolve(s);
}

void Trace::record(const char* op, const std::string& variant, const std::string& shapes, uint64_t host_begin_ns,
                   uint64_t host_end_ns, Queue& queue, Event begin, Event end) {
  std::string name = std::string(op) + (variant.empty() ? "" : " ") + variant;
  State& s = state();
  std::lock_guard lock(s.mutex);
  // A handler registered now, with the driver loaded, runs before the driver's own at exit.
  if (!s.exit_path.empty() && !s.exit_handler_after_driver) {
    s.exit_handler_after_driver = true;
    std::atexit(write_at_exit);
  }
  if (s.spans.size() + s.pending.size() >= kMostSpans) {
    ++s.dropped;
    return;
  }
  s.spans.push_back({name, shapes, host_begin_ns, host_end_ns, thread_number(), nullptr, current_tag, host_begin_ns});
  if (begin && end)
    s.pending.push_back(
        {std::move(name), shapes, queue.id(), &queue.device(), host_begin_ns, current_tag, std::move(begin), std::move(end)});
  if (s.pending.size() >= 64) resolve(s);
}

uint64_t Trace::tag() { return current_tag; }
uint64_t Trace::set_tag(uint64_t tag) { return std::exchange(current_tag, tag); }

std::vector<TraceSpan> Trace::spans(uint64_t since_ns) {
  State& s = state();
  std::lock_guard lock(s.mutex);
  resolve(s);
  std::vector<TraceSpan> out;
  std::copy_if(s.spans.begin(), s.spans.end(), std::back_inserter(out),
               [&](const auto& span) { return span.enqueued_ns >= since_ns; });
  return out;
}

std::string Trace::json() {
  State& s = state();
  std::lock_guard lock(s.mutex);
  resolve(s);
  // Two processes of the viewer: the host with its threads, the device with its queues.
  const long host = ::getpid(), device = host + 1;
  std::string out = "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"dropped\":" + std::to_string(s.dropped) + "},\"traceEvents\":[\n";
  out += "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":" + std::to_string(host) + ",\"args\":{\"name\":\"host\"}},\n";
  out += "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":" + std::to_string(device) + ",\"args\":{\"name\":\"device queues\"}}";
  for (const TraceSpan& span : s.spans) {
    char times[96];
    std::snprintf(times, sizeof(times), "\"ts\":%.3f,\"dur\":%.3f", static_cast<double>(span.begin_ns) / 1e3,
                  static_cast<double>(span.end_ns - span.begin_ns) / 1e3);
    out += ",\n{\"ph\":\"X\",\"name\":\"" + escaped(span.name) + "\",\"cat\":\"" +
           (span.kernel              ? "kernel"
            : span.device != nullptr ? "device"
                                     : "host") +
           "\",\"pid\":" + std::to_string(span.device != nullptr ? device : host) + ",\"tid\":" + std::to_string(span.track) + "," +
           times + ",\"args\":{\"shapes\":\"" + escaped(span.shapes) + "\"}}";
  }
  return out + "\n]}\n";
}

void Trace::write(const std::string& path) {
  const std::string text = json();
  const std::string temporary = path + ".tmp" + std::to_string(::getpid());
  const auto fail = [&](const char* what, int error) {
    ::unlink(temporary.c_str());
    throw Error(ONC_INVALID_ARGUMENT, "[trace] cannot " + std::string(what) + " '" + path + "': " + std::strerror(error));
  };
  std::FILE* file = std::fopen(temporary.c_str(), "w");
  if (file == nullptr) fail("write", errno);
  const bool all = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int error = errno;
  if (std::fclose(file) != 0 || !all) fail("write", all ? errno : error);
  if (std::rename(temporary.c_str(), path.c_str()) != 0) fail("replace", errno);
}

namespace {

// ONCILLA_TRACE, when the library is loaded.
[[maybe_unused]] const bool started_by_environment = [] {
  const char* path = std::getenv("ONCILLA_TRACE");
  if (path == nullptr || *path == '\0') return false;
  state().exit_path = path;
  Trace::get().start();
  std::atexit(write_at_exit);  // for a process that runs no op
  return true;
}();

}  // namespace
}  // namespace oncilla
