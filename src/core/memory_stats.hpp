// What the caching allocator counts, in PyTorch's terms, and what it tells an observer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

namespace oncilla {

struct Counter {
  uint64_t current = 0, peak = 0;
  uint64_t added = 0, removed = 0;  // since the start or the last reset

  void add(uint64_t amount) {
    current += amount;
    added += amount;
    peak = std::max(peak, current);
  }
  void remove(uint64_t amount) {
    current -= amount;
    removed += amount;
  }
};

// Small blocks have segments of their own.
struct Pools {
  Counter all, small, large;

  void add(bool is_small, uint64_t amount) {
    all.add(amount);
    (is_small ? small : large).add(amount);
  }
  void remove(bool is_small, uint64_t amount) {
    all.remove(amount);
    (is_small ? small : large).remove(amount);
  }
};

struct MemoryStats {
  Pools allocation;                          // live blocks
  Pools segment;                             // raw buffers of the plugin
  Pools active;                              // live blocks, and freed ones that wait for events
  Pools inactive_split;                      // free chunks that share their segment with others
  Pools requested_bytes;                     // asked for and live
  Pools allocated_bytes;                     // of live blocks
  Pools reserved_bytes;                      // of segments
  Pools active_bytes, inactive_split_bytes;  // of those counted above
  uint64_t retries = 0;                      // flushes because memory was short
  uint64_t out_of_memory = 0;

  template <class Fn>
  void each(Fn fn) {
    for (Pools* pools : {&allocation, &segment, &active, &inactive_split, &requested_bytes, &allocated_bytes, &reserved_bytes,
                         &active_bytes, &inactive_split_bytes}) {
      for (Counter* counter : {&pools->all, &pools->small, &pools->large}) fn(*counter);
    }
  }
};

enum class MemoryAction { kAllocate, kFreeRequested, kFreeCompleted, kSegmentAllocate, kSegmentFree, kOutOfMemory };

// address: of the block or segment; for kOutOfMemory the bytes that the limit leaves. queue: the block's, 0 for segments.
using MemoryObserver = std::function<void(MemoryAction action, uint64_t address, uint64_t bytes, uint64_t queue)>;

struct BlockView {
  enum State { kLive, kWaiting, kFree } state;
  uint64_t address, bytes, asked;
};

struct SegmentView {
  uint64_t address, bytes, queue;  // the queue of its first block
  bool small;
  std::vector<BlockView> blocks;
};

}  // namespace oncilla
