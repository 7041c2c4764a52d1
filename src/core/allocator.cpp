// The caching allocator (allocator.hpp): which size a block or a segment gets, when a block is free again, and what happens when
// memory is short. Who may take what is in chunks.hpp.
//
// Locks: mutex_ guards everything but queues_, which queues_mutex_ guards. The order is mutex_, queues_mutex_, a queue's own locks.
// Waiting for work holds none of them, so that other threads go on meanwhile.
#include "core/allocator.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/address_map.hpp"
#include "core/chunks.hpp"
#include "core/fork_guard.hpp"
#include "core/ownership.hpp"

namespace oncilla {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kUnit = 512;
constexpr uint64_t kSmallBlock = kMiB, kSmallSegment = 2 * kMiB;
constexpr uint64_t kMediumBlock = 16 * kMiB, kMediumSegment = 32 * kMiB;
constexpr uint64_t kLargeRound = 2 * kMiB;

uint64_t round_up(uint64_t value, uint64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// "1.50 GiB (1610612736 bytes)"
std::string human(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " bytes";
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  char text[64];
  std::snprintf(text, sizeof(text), "%.2f %s (%llu bytes)", value, kUnits[unit], static_cast<unsigned long long>(bytes));
  return text;
}

// "512", "1.5G", "64m"; throws on anything else.
uint64_t parse_bytes(const char* variable, const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string suffix = end;
  double unit = 0;
  if (suffix.empty()) unit = 1;
  if (suffix == "K" || suffix == "k") unit = 1024.0;
  if (suffix == "M" || suffix == "m") unit = 1024.0 * 1024;
  if (suffix == "G" || suffix == "g") unit = 1024.0 * 1024 * 1024;
  const double bytes = number * unit;
  if (end == text.c_str() || unit == 0 || !(bytes >= 0) || bytes > 9e18) {
    throw Error(ONC_INVALID_ARGUMENT,
                std::string("[allocator] ") + variable + "='" + text + "' is not a size such as 4294967296, 512M or 4G");
  }
  return static_cast<uint64_t>(bytes);
}

}  // namespace

struct Allocator::Impl {
  explicit Impl(Device& device);
  ~Impl();

  Block allocate(uint64_t bytes, Queue& queue);
  void free(void* address);
  void record_use(void* address, Queue& queue);
  void forget(Queue& queue);
  void release_free_segments();

  void refuse_oversized(uint64_t bytes) const;
  Chunk* grow(uint64_t bytes, bool small);
  void hand_out(Chunk* chunk, uint64_t bytes, uint64_t asked, uint64_t queue);
  void poll();
  void give_back(const Segment& segment);
  void wait_for_queues();
  onc_event* mark(Queue& queue);
  void enlist(Queue& queue);
  uint64_t limit() const { return cap_ != 0 ? cap_ : info_memory_; }
  void require_ours(const Queue& queue) const;
  [[noreturn]] void out_of_memory(uint64_t asked, const std::string& driver);
  void complete_free(Chunk* chunk);
  MemoryStats stats() const;
  std::vector<SegmentView> snapshot() const;
  void tell(MemoryAction action, const void* address, uint64_t bytes, uint64_t queue) const {
    if (observer_) [[unlikely]]
      observer_(action, reinterpret_cast<uint64_t>(address), bytes, queue);
  }

  Device& device_;
  const Api& api_;
  const uint64_t unit_, info_memory_, max_alloc_;

  mutable std::mutex mutex_;
  Chunks chunks_;
  std::unordered_map<void*, Chunk*> live_;
  struct Waiting {
    Chunk* chunk;
    std::vector<onc_event*> events;
  };
  std::vector<Waiting> waiting_;
  uint64_t clock_ = 0;  // counts frees
  MemoryStats stats_;
  uint64_t cap_ = 0;
  bool poison_ = false;
  MemoryObserver observer_;
  std::string driver_message_;  // of the last failed buffer_alloc

  std::mutex queues_mutex_;
  std::unordered_map<uint64_t, Queue*> queues_;  // those that took or used memory
};

Allocator::Impl::Impl(Device& device)
    : device_(device),
      api_(device.api()),
      unit_(round_up(kUnit, std::max<uint64_t>(1, device.info().base_align_bytes))),
      info_memory_(device.info().memory_bytes),
      max_alloc_(device.info().max_alloc_bytes != 0 ? device.info().max_alloc_bytes : UINT64_MAX) {
  if (const char* cap = std::getenv("ONCILLA_MEMORY_CAP"); cap != nullptr && *cap != '\0')
    cap_ = parse_bytes("ONCILLA_MEMORY_CAP", cap);
  if (const char* poison = std::getenv("ONCILLA_POISON")) poison_ = std::string(poison) == "1";
}

Allocator::Impl::~Impl() {
  for (Waiting& entry : waiting_) {
    for (onc_event* event : entry.events) api_.event_free(event);
  }
  for (const Segment& segment : chunks_.segments()) give_back(segment);
}

void Allocator::Impl::require_ours(const Queue& queue) const {
  if (&queue.device() == &device_) [[likely]]
    return;
  throw Error(ONC_INVALID_ARGUMENT, "[allocator] the queue belongs to device " + std::string(queue.device().info().name) +
                                        ", the memory to another, " + device_.info().name);
}

// What no amount of flushing can serve is refused before any work is done.
void Allocator::Impl::refuse_oversized(uint64_t bytes) const {
  const std::string head = "[allocator] " + human(bytes) + " asked for, but ";
  const std::string tail = " (device " + std::string(device_.info().name) + ")";
  if (info_memory_ != 0 && bytes > info_memory_) throw OutOfMemory(head + "the device has " + human(info_memory_) + tail);
  if (bytes > max_alloc_ || bytes > UINT64_MAX - kMediumSegment - unit_) {
    throw OutOfMemory(head + "one allocation may have at most " + human(max_alloc_) + tail);
  }
  if (cap_ != 0 && bytes > cap_) throw OutOfMemory(head + "the memory cap is " + human(cap_) + tail);
}

Block Allocator::Impl::allocate(uint64_t asked, Queue& queue) {
  if (asked == 0) return {};
  require_ours(queue);
  std::unique_lock lock(mutex_);
  refuse_oversized(asked);
  const uint64_t bytes = std::min(round_up(asked, unit_), std::max(asked, max_alloc_ / unit_ * unit_));
  const bool small = bytes <= kSmallBlock;
  if (!chunks_.knows(queue.id())) enlist(queue);
  if (!waiting_.empty()) poll();

  Chunk* chunk = chunks_.take(bytes, small, queue.id());
  if (chunk == nullptr) chunk = grow(bytes, small);
  if (chunk == nullptr) {
    ++stats_.retries;
    const uint64_t now = ++clock_;
    lock.unlock();
    wait_for_queues();
    lock.lock();
    poll();
    chunks_.share(now, nullptr);
    chunk = chunks_.take(bytes, small, queue.id());
    if (chunk == nullptr) {
      release_free_segments();
      chunk = grow(bytes, small);
    }
    if (chunk == nullptr) out_of_memory(asked, driver_message_);
  }
  hand_out(chunk, bytes, asked, queue.id());
  const Block block{chunk->address(), {chunk->segment->buffer, chunk->offset}, chunk->bytes};
  const bool poison = poison_;
  lock.unlock();
  if (poison) {
    const uint32_t pattern = 0xFFFFFFFFu;  // a NaN in every floating dtype
    try {
      queue.fill(block.at, block.bytes / sizeof(pattern) * sizeof(pattern), &pattern, sizeof(pattern));
    } catch (...) {
      free(block.address);
      throw;
    }
  }
  return block;
}

void Allocator::Impl::out_of_memory(uint64_t asked, const std::string& driver) {
  ++stats_.out_of_memory;
  const uint64_t left = limit() - std::min(limit(), stats_.reserved_bytes.all.current);
  tell(MemoryAction::kOutOfMemory, reinterpret_cast<const void*>(left), asked, 0);
  std::string message = "[allocator] out of memory on " + std::string(device_.info().name) + ": asked for " + human(asked) +
                        "; allocated " + human(stats_.requested_bytes.all.current) + ", reserved " +
                        human(stats_.reserved_bytes.all.current) + ", device size " + human(info_memory_);
  if (cap_ != 0) message += ", memory cap " + human(cap_);
  if (!driver.empty()) message += "; the driver says: " + driver;
  throw OutOfMemory(message);
}

// A new segment as one chunk that is in no list, or nullptr if the cap or the driver refuses.
Chunk* Allocator::Impl::grow(uint64_t bytes, bool small) {
  driver_message_.clear();
  const uint64_t room = limit() == 0 ? UINT64_MAX : limit() - std::min(limit(), stats_.reserved_bytes.all.current);
  if (bytes > room) return nullptr;
  const uint64_t preferred = small ? kSmallSegment : bytes <= kMediumBlock ? kMediumSegment : round_up(bytes, kLargeRound);
  // As much of a whole segment as the limits leave; where the driver refuses that, just what is needed.
  const uint64_t most = std::min(room, max_alloc_) / unit_ * unit_;
  const uint64_t size = std::max(bytes, std::min(round_up(preferred, unit_), most));
  onc_buffer* buffer = nullptr;
  for (const uint64_t attempt : {size, bytes}) {
    onc_error* error = api_.buffer_alloc(device_.handle(), attempt, &buffer);
    if (error == nullptr) {
      Chunk* chunk = nullptr;
      char* address = nullptr;
      try {
        address = static_cast<char*>(AddressMap::get().insert(&device_, buffer, attempt));
        ownership::add(buffer, device_);
        chunk = chunks_.add_segment({buffer, address, attempt, small});
      } catch (...) {
        if (address != nullptr) AddressMap::get().erase(address);
        ownership::remove(buffer);
        api_.buffer_free(buffer);
        throw;
      }
      stats_.reserved_bytes.add(small, attempt);
      stats_.segment.add(small, 1);
      tell(MemoryAction::kSegmentAllocate, address, attempt, 0);
      return chunk;
    }
    try {
      api_.check(error);
    } catch (const Error& failure) {
      if (failure.code() != ONC_OUT_OF_MEMORY) throw;
      driver_message_ = failure.what();
    }
    if (size == bytes) break;
  }
  return nullptr;
}

// Cuts what is not needed off the chunk and makes it live.
void Allocator::Impl::hand_out(Chunk* chunk, uint64_t bytes, uint64_t asked, uint64_t queue) {
  const uint64_t rest = chunk->bytes - bytes;
  if (rest >= unit_ && (chunk->segment->small || rest > kSmallBlock)) chunks_.cut(chunk, bytes);
  chunk->queue = queue;
  chunk->asked = asked;
  live_.emplace(chunk->address(), chunk);
  const bool small = chunk->segment->small;
  stats_.allocation.add(small, 1);
  stats_.active.add(small, 1);
  stats_.requested_bytes.add(small, asked);
  stats_.allocated_bytes.add(small, chunk->bytes);
  stats_.active_bytes.add(small, chunk->bytes);
  tell(MemoryAction::kAllocate, chunk->address(), asked, queue);
}

void Allocator::Impl::free(void* address) {
  if (address == nullptr) return;
  std::unique_lock lock(mutex_);
  const auto found = live_.find(address);
  if (found == live_.end()) {
    char text[32];
    std::snprintf(text, sizeof(text), "%p", address);
    throw Error(ONC_INVALID_ARGUMENT, std::string("[allocator] free: ") + text + " is not the address of a live block");
  }
  Chunk* chunk = found->second;
  live_.erase(found);
  const bool small = chunk->segment->small;
  stats_.allocation.remove(small, 1);
  stats_.requested_bytes.remove(small, chunk->asked);
  stats_.allocated_bytes.remove(small, chunk->bytes);
  tell(MemoryAction::kFreeRequested, address, chunk->asked, chunk->queue);
  chunk->freed = ++clock_;
  Waiting entry{chunk, {}};
  {
    std::lock_guard held(queues_mutex_);
    for (const uint64_t id : chunk->users) {
      const auto queue = queues_.find(id);
      if (queue == queues_.end()) continue;  // forgotten, hence finished
      if (onc_event* event = mark(*queue->second)) entry.events.push_back(event);
    }
  }
  chunk->users.clear();
  if (!entry.events.empty()) {
    waiting_.push_back(std::move(entry));
    return;
  }
  complete_free(chunk);
}

void Allocator::Impl::complete_free(Chunk* chunk) {
  stats_.active.remove(chunk->segment->small, 1);
  stats_.active_bytes.remove(chunk->segment->small, chunk->bytes);
  tell(MemoryAction::kFreeCompleted, chunk->address(), chunk->asked, chunk->queue);
  chunks_.give(chunk, chunk->queue);
}

// Frees of blocks whose other users are done.
void Allocator::Impl::poll() {
  size_t kept = 0;
  for (size_t i = 0; i < waiting_.size(); ++i) {
    Waiting& entry = waiting_[i];
    std::erase_if(entry.events, [&](onc_event* event) {
      uint32_t done = 0;
      if (onc_error* error = api_.event_done(event, &done)) {
        api_.error_free(error);  // work that failed has ended; the queue reports why
        done = 1;
      }
      if (done != 0) api_.event_free(event);
      return done != 0;
    });
    if (!entry.events.empty()) {
      if (kept != i) waiting_[kept] = std::move(entry);
      ++kept;
      continue;
    }
    complete_free(entry.chunk);
  }
  waiting_.resize(kept);
}

// Waits, without any lock, for the work that every known queue has by now: others may enqueue and free meanwhile.
void Allocator::Impl::wait_for_queues() {
  std::vector<onc_event*> marks;
  {
    std::lock_guard held(queues_mutex_);
    marks.reserve(queues_.size());
    for (auto& [id, queue] : queues_) {
      if (onc_event* event = mark(*queue)) marks.push_back(event);
    }
  }
  for (onc_event* event : marks) {
    if (onc_error* error = api_.event_sync(event)) api_.error_free(error);  // sticks to its queue: that one's user will see it
    api_.event_free(event);
  }
}

// An event behind the queue's work; NULL if there is nothing to wait for any more.
onc_event* Allocator::Impl::mark(Queue& queue) {
  queue.settle_quietly();
  const auto used = queue.lock();
  onc_event* event = nullptr;
  if (onc_error* error = api_.event_record(queue.handle(), &event)) {
    // The queue cannot tell when it is done. If it cannot be finished either, its work is lost and touches nothing any more.
    api_.error_free(error);
    if (onc_error* again = api_.queue_finish(queue.handle())) api_.error_free(again);
    return nullptr;
  }
  return event;
}

void Allocator::Impl::give_back(const Segment& segment) {
  AddressMap::get().erase(segment.address);
  ownership::remove(segment.buffer);
  api_.buffer_free(segment.buffer);  // legal with work in flight
}

void Allocator::Impl::release_free_segments() {
  {
    std::lock_guard held(queues_mutex_);
    for (auto& [id, queue] : queues_) queue->settle_quietly();  // what waits may name the buffers
  }
  for (const Segment& segment : chunks_.take_free_segments()) {
    give_back(segment);
    stats_.reserved_bytes.remove(segment.small, segment.bytes);
    stats_.segment.remove(segment.small, 1);
    tell(MemoryAction::kSegmentFree, segment.address, segment.bytes, 0);
  }
}

MemoryStats Allocator::Impl::stats() const {
  MemoryStats all = stats_;
  all.inactive_split = chunks_.split();
  all.inactive_split_bytes = chunks_.split_bytes();
  return all;
}

std::vector<SegmentView> Allocator::Impl::snapshot() const {
  std::vector<SegmentView> all;
  for (const Segment& segment : chunks_.segments()) {
    SegmentView view{reinterpret_cast<uint64_t>(segment.address), segment.bytes, segment.first->queue, segment.small, {}};
    for (const Chunk* chunk = segment.first; chunk != nullptr; chunk = chunk->after) {
      const bool live = live_.contains(chunk->address());
      const auto state = live ? BlockView::kLive : chunk->available ? BlockView::kFree : BlockView::kWaiting;
      view.blocks.push_back({state, reinterpret_cast<uint64_t>(chunk->address()), chunk->bytes, live ? chunk->asked : 0});
    }
    all.push_back(std::move(view));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.address < b.address; });
  return all;
}

void Allocator::Impl::enlist(Queue& queue) {
  chunks_.add_queue(queue.id());
  std::lock_guard held(queues_mutex_);
  queues_.emplace(queue.id(), &queue);
}

void Allocator::Impl::record_use(void* address, Queue& queue) {
  if (address == nullptr) return;
  require_ours(queue);
  std::lock_guard lock(mutex_);
  const auto found = live_.find(address);
  if (found == live_.end()) {
    char text[32];
    std::snprintf(text, sizeof(text), "%p", address);
    throw Error(ONC_INVALID_ARGUMENT, std::string("[allocator] record_use: ") + text + " is not the address of a live block");
  }
  Chunk* chunk = found->second;
  if (chunk->queue == queue.id()) return;
  if (!chunks_.knows(queue.id())) enlist(queue);
  if (std::find(chunk->users.begin(), chunk->users.end(), queue.id()) == chunk->users.end()) chunk->users.push_back(queue.id());
}

void Allocator::Impl::forget(Queue& queue) {
  {
    std::lock_guard held(queues_mutex_);
    if (!queues_.contains(queue.id())) return;
  }
  {
    const auto used = queue.lock();
    if (onc_error* error = api_.queue_finish(queue.handle())) api_.error_free(error);
  }
  {
    std::lock_guard held(queues_mutex_);
    queues_.erase(queue.id());
  }
  std::lock_guard lock(mutex_);
  poll();
  chunks_.remove_queue(queue.id());
}

Allocator::Allocator(Device& device) : impl_(std::make_unique<Impl>(device)) {}
Allocator::~Allocator() = default;

Block Allocator::allocate(uint64_t bytes, Queue& queue) {
  fork_guard::check("allocator");
  return impl_->allocate(bytes, queue);
}

void Allocator::free(void* address) {
  if (fork_guard::in_child()) return;  // the memory is the parent's
  impl_->free(address);
}

void Allocator::record_use(void* address, Queue& queue) {
  fork_guard::check("allocator");
  impl_->record_use(address, queue);
}

void Allocator::release_cached() {
  fork_guard::check("allocator");
  std::lock_guard lock(impl_->mutex_);
  impl_->poll();
  impl_->release_free_segments();
}

void Allocator::forget(Queue& queue) {
  fork_guard::check("allocator");
  impl_->forget(queue);
}

MemoryStats Allocator::stats() const {
  fork_guard::check("allocator");
  std::lock_guard lock(impl_->mutex_);
  return impl_->stats();
}

namespace {
// The stats, and what the chunks count, as one.
template <class Fn>
void each_counter(MemoryStats& stats, Chunks& chunks, Fn fn) {
  stats.each(fn);
  for (Pools* pools : {&chunks.split(), &chunks.split_bytes()}) {
    for (Counter* counter : {&pools->all, &pools->small, &pools->large}) fn(*counter);
  }
}
}  // namespace

void Allocator::reset_peaks() {
  fork_guard::check("allocator");
  std::lock_guard lock(impl_->mutex_);
  each_counter(impl_->stats_, impl_->chunks_, [](Counter& counter) { counter.peak = counter.current; });
}

void Allocator::reset_accumulated() {
  fork_guard::check("allocator");
  std::lock_guard lock(impl_->mutex_);
  each_counter(impl_->stats_, impl_->chunks_, [](Counter& counter) { counter.added = counter.removed = 0; });
  impl_->stats_.retries = impl_->stats_.out_of_memory = 0;
}

std::vector<SegmentView> Allocator::snapshot() const {
  fork_guard::check("allocator");
  std::lock_guard lock(impl_->mutex_);
  return impl_->snapshot();
}

void Allocator::observe(MemoryObserver observer) {
  fork_guard::check("allocator");
  std::lock_guard lock(impl_->mutex_);
  impl_->observer_ = std::move(observer);
}

void Allocator::set_cap(uint64_t bytes) {
  fork_guard::check("allocator");
  std::lock_guard lock(impl_->mutex_);
  impl_->cap_ = bytes;
}

uint64_t Allocator::cap() const {
  fork_guard::check("allocator");
  std::lock_guard lock(impl_->mutex_);
  return impl_->limit();
}

void Allocator::set_poison(bool on) {
  fork_guard::check("allocator");
  std::lock_guard lock(impl_->mutex_);
  impl_->poison_ = on;
}

}  // namespace oncilla
