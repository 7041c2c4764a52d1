// A backend inside the test process: a table whose memory is only numbers and whose work is done when the test says so. Failures
// are injected through fake::state(). It checks what a driver would not: that everything created is freed, once.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/device.hpp"

namespace fake {

// How far a queue has come: work number n is done once done >= n.
struct Progress {
  uint64_t enqueued = 0, done = 0;
};

struct Fill {
  const onc_buffer* buffer;
  uint64_t offset, bytes;
  uint32_t pattern;
};

struct State {
  std::recursive_mutex mutex;
  uint32_t devices = 1;
  uint64_t memory = uint64_t{8} << 30, max_alloc = uint64_t{2} << 30;
  uint32_t base_align = 64;
  uint64_t workspace = 0;
  std::string warnings;

  // Failures: the next n calls fail. Negative: all do.
  int fail_alloc = 0, fail_plan = 0, fail_run = 0, fail_finish = 0, fail_record = 0, fail_count = 0;
  uint32_t alloc_code = ONC_OUT_OF_MEMORY;
  std::function<void()> on_wait;  // called once, within the next event_sync
  uint64_t capacity = 0;          // bytes that the driver really has; 0: no limit

  uint64_t last_buffer = 0, alloc_calls = 0, plans = 0, runs = 0, finishes = 0, waits = 0, errors_live = 0;
  uint64_t bytes = 0;  // live raw memory
  std::set<onc_buffer*> buffers;
  std::set<onc_plan*> live_plans;
  std::set<onc_event*> events;
  std::set<onc_queue*> queues;
  std::vector<Fill> fills;
  std::vector<onc_arg> last_args;
  std::vector<onc_scalar> last_scalars;
  onc_arg last_workspace{};
  uint32_t devices_live = 0;
};

// Every state of the process: late objects may still refer to an old one.
inline std::vector<std::unique_ptr<State>>& states() {
  static auto* all = [] {
    auto* list = new std::vector<std::unique_ptr<State>>;
    list->push_back(std::make_unique<State>());
    return list;
  }();
  return *all;
}
inline State& state() { return *states().back(); }
inline State& reset() {
  states().push_back(std::make_unique<State>());
  return state();
}

}  // namespace fake

struct onc_error {
  uint32_t code;
  std::string message;
};
struct onc_device {
  int unused = 0;
};
struct onc_buffer {
  uint64_t bytes;
  uint64_t id;  // never reused, as an address may be
};
struct onc_queue {
  std::shared_ptr<fake::Progress> progress = std::make_shared<fake::Progress>();
  bool watched = false;
};
struct onc_event {
  std::shared_ptr<fake::Progress> progress;
  uint64_t at;
  bool watched;
  bool done() const { return progress->done >= at; }
};
struct onc_plan {
  std::string variant;
};

namespace fake {

using Lock = std::lock_guard<std::recursive_mutex>;

inline onc_error* error(uint32_t code, const std::string& message) {
  Lock lock(state().mutex);
  ++state().errors_live;
  return new onc_error{code, message};
}

inline bool fails(int& counter) {
  if (counter == 0) return false;
  if (counter > 0) --counter;
  return true;
}

inline onc_api make_table() {
  onc_api api{};
  api.size = sizeof(api);
  api.major = ONC_ABI_MAJOR;
  api.minor = ONC_ABI_MINOR;
#define ONC_SLOT(...) ++api.n_slots;
#include "oncilla/slots.def"
#undef ONC_SLOT
  api.name = "fake";
  api.version = "1";
  api.error_code = [](const onc_error* e) { return e->code; };
  api.error_message = [](const onc_error* e) { return e->message.c_str(); };
  api.error_free = [](onc_error* e) {
    Lock lock(state().mutex);
    --state().errors_live;
    delete e;
  };
  api.device_count = [](uint32_t* count) -> onc_error* {
    Lock lock(state().mutex);
    if (fails(state().fail_count)) return error(ONC_NOT_FOUND, "[fake] no platform: install one");
    *count = state().devices;
    return nullptr;
  };
  api.device_info = [](uint32_t index, onc_device_info* info) -> onc_error* {
    Lock lock(state().mutex);
    static const char* const kNames[] = {"fake zero", "fake one", "fake two", "fake three"};
    info->name = kNames[index % 4];
    info->memory_bytes = state().memory;
    info->max_alloc_bytes = state().max_alloc;
    info->base_align_bytes = state().base_align;
    return nullptr;
  };
  api.device_open = [](uint32_t, const onc_device_options*, onc_device** device) -> onc_error* {
    Lock lock(state().mutex);
    ++state().devices_live;
    *device = new onc_device;
    return nullptr;
  };
  api.device_close = [](onc_device* device) {
    Lock lock(state().mutex);
    --state().devices_live;
    delete device;
  };
  api.device_stats = [](onc_device*, onc_device_stats* stats) -> onc_error* {
    stats->warnings = state().warnings.c_str();
    return nullptr;
  };
  api.buffer_alloc = [](onc_device*, uint64_t bytes, onc_buffer** buffer) -> onc_error* {
    State& s = state();
    Lock lock(s.mutex);
    ++s.alloc_calls;
    if (bytes == 0 || bytes > s.max_alloc) return error(ONC_INVALID_ARGUMENT, "[buffer_alloc] " + std::to_string(bytes) + " bytes");
    if (fails(s.fail_alloc)) return error(s.alloc_code, "[buffer_alloc] injected");
    if (s.capacity != 0 && s.bytes + bytes > s.capacity) return error(ONC_OUT_OF_MEMORY, "[buffer_alloc] full");
    s.bytes += bytes;
    *buffer = new onc_buffer{bytes, ++s.last_buffer};
    s.buffers.insert(*buffer);
    return nullptr;
  };
  api.buffer_free = [](onc_buffer* buffer) {
    if (buffer == nullptr) return;
    Lock lock(state().mutex);
    if (state().buffers.erase(buffer) == 0) std::abort();
    state().bytes -= buffer->bytes;
    delete buffer;
  };
  api.queue_create = [](onc_device*, const onc_queue_options*, onc_queue** queue) -> onc_error* {
    Lock lock(state().mutex);
    *queue = new onc_queue;
    state().queues.insert(*queue);
    return nullptr;
  };
  api.queue_free = [](onc_queue* queue) {
    Lock lock(state().mutex);
    if (state().queues.erase(queue) == 0) std::abort();
    delete queue;
  };
  api.queue_flush = [](onc_queue*) -> onc_error* { return nullptr; };
  api.queue_finish = [](onc_queue* queue) -> onc_error* {
    Lock lock(state().mutex);
    ++state().finishes;
    queue->progress->done = queue->progress->enqueued;
    if (fails(state().fail_finish)) return error(ONC_DEVICE_LOST, "[queue_finish] injected");
    return nullptr;
  };
  api.event_record = [](onc_queue* queue, onc_event** event) -> onc_error* {
    Lock lock(state().mutex);
    if (fails(state().fail_record)) return error(ONC_DEVICE_LOST, "[event_record] injected");
    *event = new onc_event{queue->progress, queue->progress->enqueued, std::exchange(queue->watched, false)};
    state().events.insert(*event);
    return nullptr;
  };
  api.event_wait = [](onc_queue*, onc_event*) -> onc_error* { return nullptr; };
  api.event_done = [](onc_event* event, uint32_t* done) -> onc_error* {
    Lock lock(state().mutex);
    *done = event->done();
    return nullptr;
  };
  api.event_sync = [](onc_event* event) -> onc_error* {
    std::function<void()> hook;
    {
      Lock lock(state().mutex);
      ++state().waits;
      hook = std::exchange(state().on_wait, nullptr);
    }
    if (hook) hook();
    Lock lock(state().mutex);
    event->progress->done = std::max(event->progress->done, event->at);
    return nullptr;
  };
  // A nanosecond a piece of work.
  api.event_elapsed = [](onc_event* start, onc_event* end, double* nanoseconds) -> onc_error* {
    *nanoseconds = static_cast<double>(end->at) - static_cast<double>(start->at);
    return nullptr;
  };
  api.queue_watch = [](onc_queue* queue) -> onc_error* {
    Lock lock(state().mutex);
    queue->watched = true;
    return nullptr;
  };
  // Two kernels share the nanosecond.
  api.event_kernels = [](onc_event* event, onc_event*, void (*fn)(void*, const char*, double, double), void* user) -> onc_error* {
    if (!event->watched) return nullptr;
    fn(user, "first", 0, 0.5);
    fn(user, "second", 0.5, 1);
    return nullptr;
  };
  api.event_free = [](onc_event* event) {
    if (event == nullptr) return;
    Lock lock(state().mutex);
    if (state().events.erase(event) == 0) std::abort();
    delete event;
  };
  const auto copy = [](onc_queue* queue) -> onc_error* {
    Lock lock(state().mutex);
    ++queue->progress->enqueued;
    return nullptr;
  };
  static const auto enqueue = copy;
  api.copy_h2d = [](onc_queue* queue, onc_arg, const void*, uint64_t, uint32_t) { return enqueue(queue); };
  api.copy_d2h = [](onc_queue* queue, void*, onc_arg, uint64_t, uint32_t) { return enqueue(queue); };
  api.copy_d2d = [](onc_queue* queue, onc_arg, onc_arg, uint64_t) { return enqueue(queue); };
  api.fill = [](onc_queue* queue, onc_arg dst, uint64_t bytes, const void* pattern, uint32_t pattern_bytes) -> onc_error* {
    Lock lock(state().mutex);
    uint32_t word = 0;
    std::memcpy(&word, pattern, std::min<size_t>(pattern_bytes, sizeof(word)));
    state().fills.push_back({dst.buffer, dst.offset, bytes, word});
    return enqueue(queue);
  };
  api.plan_create = [](onc_device*, const onc_op_desc* desc, onc_plan** plan) -> onc_error* {
    State& s = state();
    Lock lock(s.mutex);
    ++s.plans;
    if (fails(s.fail_plan)) return error(ONC_UNIMPLEMENTED, "[plan] injected");
    std::string variant = "default";
    for (const onc_ext* ext = desc->next; ext != nullptr; ext = ext->next) {
      if (ext->type == ONC_EXT_VARIANT) variant = reinterpret_cast<const onc_ext_variant*>(ext)->name;
    }
    *plan = new onc_plan{variant};
    s.live_plans.insert(*plan);
    return nullptr;
  };
  api.plan_run = [](onc_plan*, onc_queue* queue, const onc_run* run) -> onc_error* {
    State& s = state();
    Lock lock(s.mutex);
    ++s.runs;
    if (fails(s.fail_run)) return error(ONC_DEVICE_LOST, "[plan_run] injected");
    s.last_args.assign(run->args, run->args + run->n_args);
    s.last_scalars.assign(run->scalars, run->scalars + run->n_scalars);
    s.last_workspace = run->workspace;
    ++queue->progress->enqueued;
    return nullptr;
  };
  api.plan_info = [](onc_plan* plan, onc_plan_info* info) -> onc_error* {
    info->variant = plan->variant.c_str();
    info->candidates = "default other";
    info->workspace_bytes = state().workspace;
    info->flops = 7;
    return nullptr;
  };
  api.plan_free = [](onc_plan* plan) {
    if (plan == nullptr) return;
    Lock lock(state().mutex);
    if (state().live_plans.erase(plan) == 0) std::abort();
    delete plan;
  };
  return api;
}

inline const onc_api* table() {
  static const onc_api api = make_table();
  return &api;
}

inline std::shared_ptr<oncilla::Backend> backend() { return oncilla::Backend::from_table(table(), "in the test"); }
inline std::shared_ptr<oncilla::Device> device() { return oncilla::Device::open(backend(), 0); }

}  // namespace fake
