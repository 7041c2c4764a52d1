// Devices, queues and events: thin owners of a plugin's handles (device.hpp).
#include "core/device.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/allocator.hpp"
#include "core/fork_guard.hpp"
#include "core/joined.hpp"
#include "core/ownership.hpp"
#include "core/plan_cache.hpp"
#include "core/trace.hpp"

namespace oncilla {
namespace {

std::atomic<uint64_t> last_queue_id{0};

const Api& slots(const std::shared_ptr<Device>& device, const char* who) {
  fork_guard::check(who);
  if (device == nullptr)
    throw Error(ONC_INVALID_ARGUMENT, std::string("[") + who + "] empty: it was never recorded, or moved from");
  return device->api();
}

}  // namespace

Event::Event(Event&& other) noexcept : device_(std::move(other.device_)), handle_(std::exchange(other.handle_, nullptr)) {}

Event& Event::operator=(Event&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(handle_, other.handle_);
  return *this;
}

Event::~Event() {
  if (handle_ != nullptr && !fork_guard::in_child()) device_->api().event_free(handle_);
}

bool Event::done() const {
  const Api& api = slots(device_, "event");
  uint32_t done = 0;
  api.check(api.event_done(handle_, &done));
  return done != 0;
}

void Event::sync() const {
  const Api& api = slots(device_, "event");
  api.check(api.event_sync(handle_));
}

double Event::elapsed_ns(const Event& start) const {
  const Api& api = slots(device_, "event");
  slots(start.device_, "event");
  if (api.event_elapsed == nullptr)
    throw Error(ONC_UNIMPLEMENTED,
                std::string("[event] the plugin ") + api.name + " lacks the slot event_elapsed: it cannot time events");
  double nanoseconds = 0;
  api.check(api.event_elapsed(start.handle_, handle_, &nanoseconds));
  return nanoseconds;
}

std::vector<KernelTime> Event::kernels(const Event& start) const {
  const Api& api = slots(device_, "event");
  slots(start.device_, "event");
  std::vector<KernelTime> found;
  if (api.event_kernels == nullptr) return found;
  const auto add = [](void* user, const char* name, double begin, double end) {
    static_cast<std::vector<KernelTime>*>(user)->push_back({name, begin, end});
  };
  api.check(api.event_kernels(handle_, start.handle_, add, &found));
  return found;
}

Queue::Queue(std::shared_ptr<Device> device, onc_queue* handle, uint64_t id, bool profiling)
    : device_(std::move(device)), handle_(handle), id_(id), profiling_(profiling) {}

Queue::~Queue() {
  if (fork_guard::in_child()) return;
  settle_quietly();
  device_->allocator().forget(*this);
  device_->api().queue_free(handle_);
}

namespace {

bool joining() {
  static const bool on = [] {
    const char* text = std::getenv("ONCILLA_JOIN");
    return text == nullptr || std::string_view(text) != "0";
  }();
  return on;
}

}  // namespace

void Queue::foreach_call(ForeachCall call) {
  fork_guard::check("op");
  // Another device's memory is refused now, where the caller is, not when the call runs.
  for (const auto* lists : {&call.in, &call.out}) {
    for (const ForeachList& list : *lists) ownership::check("foreach", list.at, *device_);
  }
  auto places = joining() ? Joined::places(call) : std::nullopt;
  const std::lock_guard held(waiting_mutex_);
  if (places && waiting_ && waiting_->take(call, *places)) return;
  enqueue_waiting();
  if (!places) return call.run(*this);
  waiting_ = std::make_unique<Joined>(std::move(call), std::move(*places));
  waits_.store(true, std::memory_order_release);
}

void Queue::run_waiting() {
  fork_guard::check("queue");
  const std::lock_guard held(waiting_mutex_);
  enqueue_waiting();
}

// Whoever finds waits_ false may go ahead, so it is true until all has been enqueued.
void Queue::enqueue_waiting() {
  const std::unique_ptr<Joined> joined = std::move(waiting_);
  const std::exception_ptr failure = std::exchange(failure_, nullptr);
  const auto done = [this](void*) { waits_.store(false, std::memory_order_release); };
  const std::unique_ptr<void, decltype(done)> at_end(this, done);
  if (joined) joined->run(*this);
  if (failure) std::rethrow_exception(failure);
}

void Queue::settle_quietly() noexcept {
  try {
    settle();
  } catch (...) {
    const std::lock_guard held(waiting_mutex_);
    failure_ = std::current_exception();
    waits_.store(true, std::memory_order_release);
  }
}

void Queue::flush() {
  const Api& api = slots(device_, "queue");
  settle();
  const auto held = lock();
  api.check(api.queue_flush(handle_));
}

void Queue::finish() {
  const Api& api = slots(device_, "queue");
  settle();
  const auto held = lock();
  api.check(api.queue_finish(handle_));
}

Event Queue::record() {
  settle();
  return mark();
}

Event Queue::mark() {
  const Api& api = slots(device_, "queue");
  onc_event* event = nullptr;
  {
    const auto held = lock();
    api.check(api.event_record(handle_, &event));
  }
  return Event(device_, event);
}

void Queue::watch() {
  const Api& api = device_->api();
  if (!profiling_ || api.queue_watch == nullptr) return;
  const auto held = lock();
  api.check(api.queue_watch(handle_));
}

void Queue::wait(const Event& event) {
  const Api& api = slots(device_, "queue");
  if (!event) throw Error(ONC_INVALID_ARGUMENT, "[queue] wait for an empty event");
  settle();
  const auto held = lock();
  api.check(api.event_wait(handle_, event.handle()));
}

namespace {

uint64_t now_ns() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

// Makes the call, with its times in the trace where that is on.
template <class Call>
void traced(Queue& queue, const char* name, uint64_t bytes, Call call) {
  queue.settle();
  Trace& trace = Trace::get();
  if (!trace.on()) [[likely]] {
    call();
    return;
  }
  Event begin = queue.profiling() ? queue.record() : Event();
  const uint64_t host_begin = now_ns();
  call();
  const uint64_t host_end = now_ns();
  Event end = queue.profiling() ? queue.record() : Event();
  trace.record(name, "", std::to_string(bytes) + " bytes", host_begin, host_end, queue, std::move(begin), std::move(end));
}

}  // namespace

void Queue::copy_h2d(onc_arg dst, const void* src, uint64_t bytes, uint32_t flags) {
  const Api& api = slots(device_, "queue");
  traced(*this, "copy_h2d", bytes, [&] {
    const auto held = lock();
    api.check(api.copy_h2d(handle_, dst, src, bytes, flags));
  });
}

void Queue::copy_d2h(void* dst, onc_arg src, uint64_t bytes, uint32_t flags) {
  const Api& api = slots(device_, "queue");
  traced(*this, "copy_d2h", bytes, [&] {
    const auto held = lock();
    api.check(api.copy_d2h(handle_, dst, src, bytes, flags));
  });
}

void Queue::copy_d2d(onc_arg dst, onc_arg src, uint64_t bytes) {
  const Api& api = slots(device_, "queue");
  traced(*this, "copy_d2d", bytes, [&] {
    const auto held = lock();
    api.check(api.copy_d2d(handle_, dst, src, bytes));
  });
}

void Queue::fill(onc_arg dst, uint64_t bytes, const void* pattern, uint32_t pattern_bytes) {
  const Api& api = slots(device_, "queue");
  traced(*this, "fill", bytes, [&] {
    const auto held = lock();
    api.check(api.fill(handle_, dst, bytes, pattern, pattern_bytes));
  });
}

std::shared_ptr<Device> Device::open(std::shared_ptr<Backend> backend, uint32_t index, const char* cache_dir,
                                     const char* tuning_file) {
  fork_guard::enter("device");
  const uint32_t count = backend->device_count();
  if (index >= count) {
    throw Error(ONC_NOT_FOUND,
                "[device] " + backend->name() + " has no device " + std::to_string(index) + "; it has " + std::to_string(count));
  }
  auto device = std::shared_ptr<Device>(new Device);
  device->backend_ = std::move(backend);
  onc_device_options options{};
  options.size = sizeof(options);
  options.cache_dir = cache_dir;
  options.tuning_file = tuning_file;
  const Api& api = device->api();
  api.check(api.device_open(index, &options, &device->handle_));
  device->info_ = device->backend_->device_info(index);
  device->allocator_ = std::make_unique<Allocator>(*device);
  device->plans_ = std::make_unique<PlanCache>();
  return device;
}

Device::~Device() {
  if (fork_guard::in_child()) {  // the handles below are the parent's
    (void)plans_.release();
    (void)allocator_.release();
    return;
  }
  plans_.reset();
  allocator_.reset();
  if (handle_ != nullptr) api().device_close(handle_);
}

std::unique_ptr<Queue> Device::create_queue(bool profiling) {
  fork_guard::check("device");
  onc_queue_options options{};
  options.size = sizeof(options);
  options.flags = profiling ? ONC_QUEUE_PROFILING : 0;
  onc_queue* handle = nullptr;
  api().check(api().queue_create(handle_, &options, &handle));
  return std::make_unique<Queue>(shared_from_this(), handle, ++last_queue_id, profiling);
}

onc_device_stats Device::stats() const {
  fork_guard::check("device");
  onc_device_stats stats{};
  stats.size = sizeof(stats);
  if (api().device_stats != nullptr) api().check(api().device_stats(handle_, &stats));
  if (stats.warnings == nullptr) stats.warnings = "";
  return stats;
}

}  // namespace oncilla
