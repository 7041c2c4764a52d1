// In-order queues and their events.
//
// Where host and device share memory, the host copies by itself while no command of the queue is under way; it need not ask for
// other queues, because whoever uses them on the same memory has this queue wait for an event. Otherwise a copy is a command, which
// need not wait for those before it.
//
// A command that fails after it was enqueued fails those behind it, and so the next marker: record() and finish() look at one. The
// first such failure sticks to the queue, and every later finish and event of it reports the same.
#include <cstring>
#include <mutex>

#include "runtime/launches.hpp"
#include "runtime/process.hpp"

namespace oncilla::ocl {

namespace {

struct Callback {
  void (*fn)(void*);
  void* user;
};

void CL_CALLBACK call_back(cl_event, cl_int, void* data) {
  const std::unique_ptr<Callback> callback(static_cast<Callback*>(data));
  callback->fn(callback->user);
}

class Event final : public onc_event {
 public:
  Event(cl::Event event, cl::CommandQueue queue, std::shared_ptr<QueueError> error, bool profiling, std::vector<Watched> watched)
      : event_(std::move(event)),
        queue_(std::move(queue)),
        error_(std::move(error)),
        profiling_(profiling),
        watched_(std::move(watched)) {}
  ~Event() override {
    if (!forked()) return;
    for (Watched& launch : watched_) launch.event() = nullptr;
    event_() = nullptr;
    queue_() = nullptr;
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  bool done() override {
    require_same_process("event_done");
    flush();
    const cl_int status = state();
    if (status < 0) error_->report(status, "event_done");
    return status == CL_COMPLETE;
  }

  void sync() override {
    require_same_process("event_sync");
    // The status says which failure it was; the wait only says that there was one.
    const cl_int waited = event_.wait();
    const cl_int status = state();
    error_->report(status < 0 ? status : waited, "event_sync");
  }

  double elapsed_since(onc_event& other) override {
    require_same_process("event_elapsed");
    auto& start = static_cast<Event&>(other);
    kit::require(profiling_ && start.profiling_, "[event_elapsed] both events need a queue created with ONC_QUEUE_PROFILING");
    start.sync();
    sync();
    return static_cast<double>(finished_at()) - static_cast<double>(start.finished_at());
  }

  void then(void (*fn)(void*), void* user) override {
    require_same_process("event_then");
    auto callback = std::make_unique<Callback>(Callback{fn, user});
    check(event_.setCallback(CL_COMPLETE, call_back, callback.get()), "[event_then]");
    (void)callback.release();  // call_back deletes it
    flush();
  }

  void kernels(onc_event& other, void (*fn)(void*, const char*, double, double), void* user) override {
    require_same_process("event_kernels");
    auto& start = static_cast<Event&>(other);
    kit::require(profiling_ && start.profiling_, "[event_kernels] both events need a queue created with ONC_QUEUE_PROFILING");
    start.sync();
    sync();
    const auto zero = static_cast<double>(start.finished_at());
    for (const Watched& launch : watched_) {
      cl_ulong begin = 0, end = 0;
      check(launch.event.getProfilingInfo(CL_PROFILING_COMMAND_START, &begin), "[event_kernels] time");
      check(launch.event.getProfilingInfo(CL_PROFILING_COMMAND_END, &end), "[event_kernels] time");
      fn(user, launch.kernel.name().c_str(), static_cast<double>(begin) - zero, static_cast<double>(end) - zero);
    }
  }

  const cl::Event& cl() const { return event_; }
  // Another queue or a poll may only count on work that was submitted.
  void flush() {
    if (flushed_) return;
    check(queue_.flush(), "[event] flush");
    flushed_ = true;
  }

 private:
  cl_int state() const {
    cl_int status = CL_COMPLETE;
    check(event_.getInfo(CL_EVENT_COMMAND_EXECUTION_STATUS, &status), "[event] status");
    return status;
  }
  cl_ulong finished_at() const {
    cl_ulong at = 0;
    check(event_.getProfilingInfo(CL_PROFILING_COMMAND_END, &at), "[event_elapsed] time");
    return at;
  }

  cl::Event event_;
  cl::CommandQueue queue_;
  std::shared_ptr<QueueError> error_;
  bool profiling_, flushed_ = false;
  std::vector<Watched> watched_;
};

const Buffer& buffer(onc_arg at) { return *static_cast<const Buffer*>(at.buffer); }

void CL_CALLBACK free_staged(cl_event, cl_int, void* memory) { delete[] static_cast<char*>(memory); }

// Up to here a copy that must own its source copies it aside and goes on; above, waiting costs less than the memory.
constexpr uint64_t kStagedBytes = uint64_t{4} << 20;

}  // namespace

Queue::Queue(Device& device, uint32_t flags) : device_(device), profiling_((flags & ONC_QUEUE_PROFILING) != 0) {
  cl_int status = CL_SUCCESS;
  queue_ = cl::CommandQueue(device.context(), device.id(), profiling_ ? CL_QUEUE_PROFILING_ENABLE : 0, &status);
  check(status, "[queue_create]");
  error_ = std::make_shared<QueueError>();
  launches_ = std::make_unique<LaunchList>(device_, queue_, *error_);
  static std::atomic<uint64_t> serial{0};
  id_ = ++serial;
}

Queue::~Queue() {
  launches_.reset();
  if (forked()) queue_() = nullptr;
}

const cl::CommandQueue& Queue::cl() {
  launches_->submit();
  launches_->begin();
  return queue_;
}

char* Queue::idle_host(onc_arg at) const {
  char* host = buffer(at).host();
  return host != nullptr && launches_->idle() ? host + at.offset : nullptr;
}

void Queue::about_to_run(const kit::PlanInfo& plan) { launches_->expect(plan); }

void Queue::flush() {
  require_same_process("queue_flush");
  check(cl().flush(), "[queue_flush]");
}

void Queue::finish() {
  require_same_process("queue_finish");
  cl::Event marker;
  check(cl().enqueueMarkerWithWaitList(nullptr, &marker), "[queue_finish] marker");
  const cl_int finished = queue_.finish();
  cl_int status = CL_COMPLETE;
  marker.getInfo(CL_EVENT_COMMAND_EXECUTION_STATUS, &status);
  error_->report(status < 0 ? status : finished, "queue_finish");
  launches_->settled();
}

std::unique_ptr<onc_event> Queue::record() {
  require_same_process("event_record");
  cl::Event marker;
  check(cl().enqueueMarkerWithWaitList(nullptr, &marker), "[event_record]");
  return std::make_unique<Event>(std::move(marker), queue_, error_, profiling_, launches_->take_watched());
}

void Queue::watch() {
  require_same_process("queue_watch");
  kit::require(profiling_, "[queue_watch] needs a queue created with ONC_QUEUE_PROFILING");
  launches_->watch();
}

void Queue::wait(onc_event& event) {
  require_same_process("event_wait");
  auto& other = static_cast<Event&>(event);
  other.flush();
  const std::vector<cl::Event> list = {other.cl()};
  check(cl().enqueueBarrierWithWaitList(&list), "[event_wait]");
}

void* Queue::map(onc_arg at, uint64_t bytes, uint32_t flags) {
  require_same_process("buffer_map");
  cl_map_flags access = 0;
  if ((flags & ONC_MAP_READ) != 0) access |= CL_MAP_READ;
  if ((flags & ONC_MAP_WRITE) != 0) access |= CL_MAP_WRITE;
  if (char* shared = buffer(at).host()) {
    if (!launches_->idle()) finish();
    return shared + at.offset;
  }
  cl_int status = CL_SUCCESS;
  void* host = cl().enqueueMapBuffer(buffer(at).mem(), CL_TRUE, access, at.offset, bytes, nullptr, nullptr, &status);
  check(status, "[buffer_map] ", bytes, " bytes at ", at.offset);
  return host;
}

void Queue::unmap(onc_arg at, void* host) {
  require_same_process("buffer_unmap");
  if (buffer(at).host() != nullptr) return;
  check(cl().enqueueUnmapMemObject(buffer(at).mem(), host), "[buffer_unmap]");
}

void Queue::copy_h2d(onc_arg dst, const void* src, uint64_t bytes, uint32_t flags) {
  require_same_process("copy_h2d");
  if (bytes == 0) return;
  if (char* host = idle_host(dst)) {
    std::memcpy(host, src, bytes);
    return;
  }
  const auto what = [&] { return kit::cat("[copy_h2d] ", bytes, " bytes to ", dst.offset); };
  if ((flags & ONC_COPY_UNTIL_EVENT) != 0) {
    check(cl().enqueueWriteBuffer(buffer(dst).mem(), CL_FALSE, dst.offset, bytes, src), what());
  } else if (bytes > kStagedBytes) {
    check(cl().enqueueWriteBuffer(buffer(dst).mem(), CL_TRUE, dst.offset, bytes, src), what());
  } else {
    std::unique_ptr<char[]> staged(new char[bytes]);
    std::memcpy(staged.get(), src, bytes);
    cl::Event written;
    check(cl().enqueueWriteBuffer(buffer(dst).mem(), CL_FALSE, dst.offset, bytes, staged.get(), nullptr, &written), what());
    char* memory = staged.release();
    if (written.setCallback(CL_COMPLETE, free_staged, memory) != CL_SUCCESS) {
      written.wait();
      delete[] memory;
    }
  }
}

void Queue::copy_d2h(void* dst, onc_arg src, uint64_t bytes, uint32_t flags) {
  require_same_process("copy_d2h");
  if (bytes == 0) return;
  if (const char* host = idle_host(src)) {
    std::memcpy(dst, host, bytes);
    return;
  }
  const cl_bool wait = (flags & ONC_COPY_UNTIL_EVENT) != 0 ? CL_FALSE : CL_TRUE;
  const cl_int status = cl().enqueueReadBuffer(buffer(src).mem(), wait, src.offset, bytes, dst);
  check(status, "[copy_d2h] ", bytes, " bytes from ", src.offset);
  if (wait == CL_TRUE) launches_->settled();  // the queue is in order
}

void Queue::copy_d2d(onc_arg dst, onc_arg src, uint64_t bytes) {
  require_same_process("copy_d2d");
  if (bytes == 0) return;
  if (dst.buffer == src.buffer) {
    if (dst.offset == src.offset) return;
    kit::require(dst.offset + bytes <= src.offset || src.offset + bytes <= dst.offset, "[copy_d2d] ", bytes, " bytes from ",
                 src.offset, " to ", dst.offset, " of one buffer overlap");
  }
  const cl_int status = cl().enqueueCopyBuffer(buffer(src).mem(), buffer(dst).mem(), src.offset, dst.offset, bytes);
  check(status, "[copy_d2d] ", bytes, " bytes from ", src.offset, " to ", dst.offset);
}

// Zeros and ones are filled by single bytes: pocl has memset for those, and a loop over the elements for wider patterns, which
// takes five times as long; Intel's CPU runtime and rusticl are no slower by bytes.
void Queue::fill(onc_arg dst, uint64_t bytes, const void* pattern, uint32_t pattern_bytes) {
  require_same_process("fill");
  if (bytes == 0) return;
  const bool known = pattern_bytes == 1 || pattern_bytes == 2 || pattern_bytes == 4 || pattern_bytes == 8 || pattern_bytes == 16;
  kit::require(known, "[fill] a pattern of ", pattern_bytes, " bytes; 1, 2, 4, 8 and 16 are possible");
  kit::require(bytes % pattern_bytes == 0 && dst.offset % pattern_bytes == 0, "[fill] ", bytes, " bytes at ", dst.offset,
               " are no multiples of the pattern's ", pattern_bytes);
  const bool one_byte = std::memcmp(pattern, static_cast<const char*>(pattern) + 1, pattern_bytes - 1) == 0;
  const cl_int status = clEnqueueFillBuffer(cl()(), buffer(dst).mem()(), pattern, one_byte ? 1 : pattern_bytes, dst.offset, bytes,
                                            0, nullptr, nullptr);
  check(status, "[fill] ", bytes, " bytes at ", dst.offset);
}

}  // namespace oncilla::ocl
