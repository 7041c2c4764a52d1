// Pinned host memory (host_allocator.hpp). OpenCL cannot lock pages of memory that the host owns; what "pinned" promises is that
// a non-blocking copy is asynchronous and that the memory outlives it. Blocks that a copy still uses wait here for its event.
#include "torch/host_allocator.hpp"

#include <ATen/core/CachingHostAllocator.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "torch/device.hpp"

namespace oncilla::adapter {
namespace {

struct Block {
  size_t bytes = 0;
  std::vector<Event> users;
};

struct State {
  std::mutex mutex;
  std::map<const char*, Block> live;
  std::map<const char*, Block> waiting;  // freed, but a copy goes on
  at::HostStats stats;
};

State& state() {
  static auto* s = new State;  // leaked: tensors outlive static destructors
  return *s;
}

void return_to_host(const char* memory) { c10::GetAllocator(c10::kCPU)->raw_deallocate(const_cast<char*>(memory)); }

bool done(Block& block) {
  std::erase_if(block.users, [](Event& event) {
    try {
      return event.done();
    } catch (const Error&) {
      return true;  // its work failed and touches nothing any more; the stream reports why
    }
  });
  return block.users.empty();
}

// Gives back what no copy uses any more. The lock is held.
void poll(State& s) {
  for (auto at = s.waiting.begin(); at != s.waiting.end();) {
    if (!done(at->second)) {
      ++at;
      continue;
    }
    s.stats.allocations.decrease(1);
    s.stats.allocated_bytes.decrease(at->second.bytes);
    ++s.stats.num_host_free;
    return_to_host(at->first);
    at = s.waiting.erase(at);
  }
}

void release(void* memory) {
  if (in_bad_fork()) return;  // the parent's events cannot be asked here
  State& s = state();
  std::lock_guard lock(s.mutex);
  auto node = s.live.extract(static_cast<const char*>(memory));
  if (node.empty()) return;
  s.stats.active_requests.decrease(1);
  s.stats.active_bytes.decrease(node.mapped().bytes);
  s.waiting.insert(std::move(node));
  poll(s);
}

struct HostAllocator final : at::HostAllocator {
  c10::DataPtr allocate(size_t bytes) override {
    State& s = state();
    std::lock_guard lock(s.mutex);
    poll(s);
    const size_t taken = std::max<size_t>(bytes, 1);
    void* memory = c10::GetAllocator(c10::kCPU)->raw_allocate(taken);
    s.live[static_cast<const char*>(memory)].bytes = taken;
    s.stats.active_requests.increase(1);
    s.stats.active_bytes.increase(taken);
    s.stats.allocations.increase(1);
    s.stats.allocated_bytes.increase(taken);
    ++s.stats.num_host_alloc;
    return {memory, memory, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }
  bool record_event(void* memory, void*, c10::Stream stream) override {
    if (!is_pinned(memory)) return false;
    use_pinned(memory, stream);
    return true;
  }
  void empty_cache() override {
    std::lock_guard lock(state().mutex);
    poll(state());
  }
  at::HostStats get_stats() override {
    std::lock_guard lock(state().mutex);
    return state().stats;
  }
  void reset_accumulated_stats() override {
    std::lock_guard lock(state().mutex);
    at::HostStats& stats = state().stats;
    for (auto* stat : {&stats.active_requests, &stats.active_bytes, &stats.allocations, &stats.allocated_bytes})
      stat->reset_accumulated();
    stats.num_host_alloc = stats.num_host_free = 0;
  }
  void reset_peak_stats() override {
    std::lock_guard lock(state().mutex);
    at::HostStats& stats = state().stats;
    for (auto* stat : {&stats.active_requests, &stats.active_bytes, &stats.allocations, &stats.allocated_bytes}) stat->reset_peak();
  }
};

HostAllocator* const instance = new HostAllocator;
REGISTER_HOST_ALLOCATOR(c10::DeviceType::PrivateUse1, instance)

// The block that holds the address, or the end. The lock is held.
std::map<const char*, Block>::iterator block_of(State& s, const void* memory) {
  const auto* at = static_cast<const char*>(memory);
  auto after = s.live.upper_bound(at);
  if (after == s.live.begin()) return s.live.end();
  --after;
  return at < after->first + after->second.bytes ? after : s.live.end();
}

}  // namespace

bool is_pinned(const void* memory) {
  std::lock_guard lock(state().mutex);
  return block_of(state(), memory) != state().live.end();
}

void use_pinned(const void* memory, const c10::Stream& stream) {
  Queue* queue = queue_of(stream);
  Event event = translated([&] { return queue->record(); });
  State& s = state();
  std::lock_guard lock(s.mutex);
  const auto found = block_of(s, memory);
  if (found == s.live.end()) return;
  done(found->second);
  found->second.users.push_back(std::move(event));
}

}  // namespace oncilla::adapter
