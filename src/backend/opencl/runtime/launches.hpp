// The launches of a queue on their way to OpenCL. Where the tuning database says so ("queue", hold and work), launches of little
// work wait until there are some of them, or until something else needs the queue: a driver that wakes its threads at each launch,
// as those of CPUs do, then wakes them once for many. Order is kept, and whoever waits for the queue, records an event or copies
// enqueues what waits.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

#include "runtime/device.hpp"

namespace oncilla::ocl {

// One launch; its arguments lie in the list's bytes: a size and a flag for local memory before each value.
struct Launch {
  Kernel kernel;
  cl_uint dims = 1;
  std::array<size_t, 3> sizes{}, group{};
  bool grouped = false;  // else the driver chooses the group
  size_t begin = 0, end = 0;
};

// One that was enqueued while somebody watches.
struct Watched {
  Kernel kernel;
  cl::Event event;
};

struct ArgumentHeader {
  uint32_t bytes;
  uint32_t local;  // 1: local memory of so many bytes, and no value follows
};

// The first failure of work whose call had already returned. It sticks: every later finish and event of the queue reports it.
// Shared by the queue and its events, which may outlive it.
struct QueueError {
  std::mutex mutex;
  std::optional<kit::Error> first;

  void keep(const kit::Error& error);
  // Keeps a negative status; throws if anything was kept.
  void report(cl_int now, const char* op);
};

class LaunchList {
 public:
  LaunchList(Device& device, const cl::CommandQueue& queue, QueueError& error);
  ~LaunchList();
  LaunchList(const LaunchList&) = delete;
  LaunchList& operator=(const LaunchList&) = delete;

  // The plan whose launches follow: they may wait while the work of all that wait is little. Called by the queue's own thread, as
  // add().
  void expect(const kit::PlanInfo& plan);
  std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }
  std::vector<unsigned char>& bytes() { return bytes_; }  // under lock()
  // Under lock(). If it may not wait, it is enqueued behind those that do; its own failure is thrown.
  void add(Launch launch);
  // Enqueues what waits.
  void submit();
  // Whether everything that was enqueued is known to be done: nothing was since settled().
  bool idle() const { return !busy_; }
  void begin() { busy_ = true; }
  void settled() { busy_ = false; }
  // Enqueues what waits, and keeps the events of the launches that follow until they are taken.
  void watch();
  std::vector<Watched> take_watched();

 private:
  void enqueue(const Launch& launch);
  void enqueue_waiting();
  Device& device_;
  const cl::CommandQueue& queue_;
  QueueError& error_;
  std::mutex mutex_;
  std::vector<Launch> waiting_;
  std::vector<unsigned char> bytes_;
  bool watching_ = false;
  std::atomic<bool> busy_{false};  // set by another thread, too, that submits
  std::vector<Watched> watched_;
  size_t most_;
  uint64_t most_work_, work_ = 0;  // operations and bytes, of those that wait
  uint64_t expected_ = 0;          // of the next launch; another thread that submits does not touch it
};

}  // namespace oncilla::ocl
