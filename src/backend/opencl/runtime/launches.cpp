#include "runtime/launches.hpp"

#include <utility>

#include "runtime/process.hpp"
#include "runtime/tuning.hpp"

namespace oncilla::ocl {

void QueueError::keep(const kit::Error& error) {
  const std::lock_guard guard(mutex);
  if (!first) first = error;
}

void QueueError::report(cl_int now, const char* op) {
  if (now < 0) keep(error_of(now, "work enqueued before failed"));
  const std::lock_guard guard(mutex);
  if (first) throw kit::Error(first->code(), kit::cat("[", op, "] ", first->what()));
}

LaunchList::LaunchList(Device& device, const cl::CommandQueue& queue, QueueError& error)
    : device_(device), queue_(queue), error_(error) {
  const Tuning row = tuning(device, "queue", 0, "");
  most_ = static_cast<size_t>(row.get("hold"));
  most_work_ = static_cast<uint64_t>(row.get("work"));
  device_.add(*this);
}

LaunchList::~LaunchList() {
  device_.remove(*this);
  if (!forked()) submit();
  if (!forked()) return;
  for (Watched& launch : watched_) launch.event() = nullptr;
}

void LaunchList::expect(const kit::PlanInfo& plan) { expected_ = plan.flops + plan.bytes; }

void LaunchList::add(Launch launch) {
  if (most_ > 1 && expected_ > 0 && work_ + expected_ <= most_work_) {
    work_ += expected_;
    busy_ = true;
    waiting_.push_back(std::move(launch));
    if (waiting_.size() < most_) return;
    enqueue_waiting();
    bytes_.clear();
    return;
  }
  enqueue_waiting();
  struct Clear {
    std::vector<unsigned char>& bytes;
    ~Clear() { bytes.clear(); }
  } const clear{bytes_};
  enqueue(launch);
}

void LaunchList::submit() {
  const auto guard = lock();
  enqueue_waiting();
  bytes_.clear();
}

void LaunchList::watch() {
  submit();
  const auto guard = lock();
  watching_ = true;
}

std::vector<Watched> LaunchList::take_watched() {
  const auto guard = lock();
  watching_ = false;
  return std::exchange(watched_, {});
}

void LaunchList::enqueue(const Launch& launch) {
  busy_ = true;
  cl_event event = nullptr;
  launch.kernel.enqueue(queue_(), launch, bytes_.data() + launch.begin, watching_ ? &event : nullptr);
  if (event != nullptr) watched_.push_back({launch.kernel, cl::Event(event)});
}

void LaunchList::enqueue_waiting() {
  for (const Launch& launch : waiting_) {
    try {
      enqueue(launch);
    } catch (const kit::Error& e) {
      error_.keep(kit::Error(e.code(), kit::cat("work enqueued before failed: ", e.what())));
    }
  }
  waiting_.clear();
  work_ = 0;
}

}  // namespace oncilla::ocl
