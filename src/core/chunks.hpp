// What the caching allocator (allocator.cpp) has and who may take it: chunks tile segments, and each queue has free chunks of its
// own. Queue number 0 stands for chunks that no pending work touches any more, which every queue may take. Knows no device and no
// lock.
#pragma once

#include <cstdint>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/memory_stats.hpp"
#include "oncilla/oncilla.h"

namespace oncilla {

inline constexpr uint64_t kAnyQueue = 0;

struct Chunk;

// One raw buffer of a plugin.
struct Segment {
  onc_buffer* buffer = nullptr;
  char* address = nullptr;
  uint64_t bytes = 0;
  bool small = false;  // for small blocks
  Chunk* first = nullptr;
};

struct Chunk {
  Segment* segment = nullptr;
  Chunk *before = nullptr, *after = nullptr;  // neighbours in the segment
  uint64_t offset = 0, bytes = 0;
  uint64_t asked = 0;           // while live
  uint64_t queue = 0;           // the owner: live, the queue it was given to; free, the queue that may take it
  uint64_t freed = 0;           // the clock when it became free
  bool available = false;       // in a free list
  std::vector<uint64_t> users;  // other queues, from record_use

  char* address() const { return segment->address + offset; }
};

class Chunks {
 public:
  Chunks() = default;
  Chunks(const Chunks&) = delete;
  Chunks& operator=(const Chunks&) = delete;
  ~Chunks();

  // A new segment as one chunk that is in no list.
  Chunk* add_segment(const Segment& description);
  // Forgets the segments of which every chunk is free, and returns what they were.
  std::vector<Segment> take_free_segments();
  std::vector<Segment> segments() const;  // each with its first chunk
  // Free chunks that have neighbours: how many, and their bytes.
  const Pools& split() const { return split_; }
  const Pools& split_bytes() const { return split_bytes_; }
  Pools& split() { return split_; }
  Pools& split_bytes() { return split_bytes_; }

  // The smallest free chunk that fits, from the queue's own before those of nobody, out of its list; or NULL.
  Chunk* take(uint64_t bytes, bool small, uint64_t queue);
  // Cuts what is behind the first `bytes` off a chunk that is in no list; the rest becomes free to the queue that could take the
  // whole.
  void cut(Chunk* chunk, uint64_t bytes);
  // Makes the chunk free to a queue, or to all where the queue is not known (any more), and joins it with free neighbours.
  void give(Chunk* chunk, uint64_t queue);
  // Gives the free chunks that were freed before the clock showed `before`, of one queue or of all, to everybody: their queues were
  // finished since.
  void share(uint64_t before, const uint64_t* only);

  bool knows(uint64_t queue) const { return pools_.contains(queue); }
  void add_queue(uint64_t queue) { pools_.try_emplace(queue); }
  void remove_queue(uint64_t queue);

 private:
  struct BySize {
    bool operator()(const Chunk* a, const Chunk* b) const {
      if (a->bytes != b->bytes) return a->bytes < b->bytes;
      return a->address() < b->address();
    }
  };
  struct Pool {
    std::set<Chunk*, BySize> free[2];  // of small segments, and of the others
  };

  Chunk* take_from(Pool& pool, uint64_t bytes, bool small);
  void list(Chunk* chunk);
  void unlist(Chunk* chunk);
  void move(Chunk* chunk, uint64_t queue);

  std::unordered_map<uint64_t, Pool> pools_;
  std::unordered_set<Segment*> segments_;
  Pools split_, split_bytes_;
};

}  // namespace oncilla
