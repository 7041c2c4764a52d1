// An opened device with what a host needs on it: queues, events, memory, plans. Everything here is thread-safe except Event, which
// one thread uses at a time: a Queue takes a lock around each call into the plugin, whose own queues are not thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/backend.hpp"

namespace oncilla {

class Allocator;
class PlanCache;
class Device;
class Joined;
struct ForeachCall;

// One launch of a kernel: nanoseconds since an event.
struct KernelTime {
  std::string name;
  double begin_ns, end_ns;
};

class Event {
 public:
  Event() = default;
  Event(std::shared_ptr<Device> device, onc_event* handle) : device_(std::move(device)), handle_(handle) {}
  Event(Event&& other) noexcept;
  Event& operator=(Event&& other) noexcept;
  ~Event();
  explicit operator bool() const { return handle_ != nullptr; }
  bool done() const;
  void sync() const;
  double elapsed_ns(const Event& start) const;  // both recorded on profiling queues
  // The watched launches that were recorded with this event, in order; waits for it. None where the plugin cannot tell.
  std::vector<KernelTime> kernels(const Event& start) const;
  onc_event* handle() const { return handle_; }

 private:
  std::shared_ptr<Device> device_;
  onc_event* handle_ = nullptr;
};

// Work in order. FOREACH calls may wait here to be joined with the next (joined.hpp); everything else that is done with the queue
// enqueues them first.
class Queue {
 public:
  Queue(std::shared_ptr<Device> device, onc_queue* handle, uint64_t id, bool profiling);
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  void flush();
  void finish();
  Event record();
  void wait(const Event& event);
  void copy_h2d(onc_arg dst, const void* src, uint64_t bytes, uint32_t flags = ONC_COPY_UNTIL_RETURN);
  void copy_d2h(void* dst, onc_arg src, uint64_t bytes, uint32_t flags = ONC_COPY_UNTIL_RETURN);
  void copy_d2d(onc_arg dst, onc_arg src, uint64_t bytes);
  void fill(onc_arg dst, uint64_t bytes, const void* pattern, uint32_t pattern_bytes);
  void foreach_call(ForeachCall call);  // at once with ONCILLA_JOIN=0
  void settle() {                       // enqueues what waits
    if (waits_.load(std::memory_order_acquire)) [[unlikely]]
      run_waiting();
  }
  void settle_quietly() noexcept;  // an error is thrown by the next settle() that has something to do
  Event mark();                    // an event without settling, for who settles
  void watch();                    // the launches that follow are kept with the next event, where the plugin can
  Device& device() const { return *device_; }
  onc_queue* handle() const { return handle_; }
  uint64_t id() const { return id_; }  // unique in the process, never reused; the allocator's key
  bool profiling() const { return profiling_; }
  // Held around every use of handle(); taken after any lock of the core, never before one.
  std::unique_lock<std::mutex> lock() const { return std::unique_lock(mutex_); }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<Device> device_;
  onc_queue* handle_;
  uint64_t id_;
  bool profiling_;

  void run_waiting();
  void enqueue_waiting();  // under waiting_mutex_
  // Taken before any other lock but the allocator's, and held while what waits is enqueued, so that no other thread's work
  // overtakes it.
  std::mutex waiting_mutex_;
  std::unique_ptr<Joined> waiting_;
  std::exception_ptr failure_;
  std::atomic<bool> waits_{false};  // whether there is something in one of the two
};

class Device : public std::enable_shared_from_this<Device> {
 public:
  // cache_dir and tuning_file as in onc_device_options; nullptr is the plugin's default.
  static std::shared_ptr<Device> open(std::shared_ptr<Backend> backend, uint32_t index, const char* cache_dir = nullptr,
                                      const char* tuning_file = nullptr);
  ~Device();
  std::unique_ptr<Queue> create_queue(bool profiling = false);
  Allocator& allocator() { return *allocator_; }
  PlanCache& plans() { return *plans_; }
  const Backend& backend() const { return *backend_; }
  const Api& api() const { return backend_->api(); }
  const onc_device_info& info() const { return info_; }  // with probed features
  onc_device_stats stats() const;
  onc_device* handle() const { return handle_; }

 private:
  Device() = default;
  std::shared_ptr<Backend> backend_;
  onc_device* handle_ = nullptr;
  onc_device_info info_{};
  std::unique_ptr<Allocator> allocator_;
  std::unique_ptr<PlanCache> plans_;
};

// Every device of every plugin found: ONCILLA_PLUGINS first, then the installation's "opencl" (the reference plugin is loaded only
// by name or path). ONCILLA_DEVICES=0,2 selects and orders. Listed once and kept; opening is lazy and happens once.
class Registry {
 public:
  struct Entry {
    std::shared_ptr<Backend> backend;
    uint32_t index;
    onc_device_info info;
  };
  struct Listing {
    std::vector<Entry> entries;
    std::vector<std::string> problems;
  };
  static Registry& get();
  // What get() does once: the devices of these backends, then the selection ("0,2"; NULL or "": all). A selection that cannot be
  // met selects nothing and is a problem, so that no work lands on a device that was not asked for.
  static Listing list(const std::vector<std::shared_ptr<Backend>>& backends, const char* selection);
  const std::vector<Entry>& entries() const { return entries_; }
  // Why there are none, or what was left out: "[registry] no OpenCL platform found: install a driver ..."
  const std::vector<std::string>& problems() const { return problems_; }
  std::shared_ptr<Device> device(uint32_t i);  // Error ONC_NOT_FOUND names i and the count

 private:
  Registry();
  std::vector<Entry> entries_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Device>> devices_;
  std::vector<std::string> problems_;
};

}  // namespace oncilla
