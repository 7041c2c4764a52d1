// The caching allocator over a plugin's raw buffers: blocks cut from segments, kept for reuse, returned by address
// (address_map.hpp).
//
// Size classes: multiples of 512 bytes; small blocks (<= 1 MiB) share 2 MiB segments, medium ones 32 MiB segments, large ones get
// their own rounded to 2 MiB, never above the device's max_alloc_bytes. A freed block is reused at once on its own queue; a block
// that other queues used (record_use) waits for events recorded there. On failure: wait for the queues known, release cached
// segments, retry once, then OutOfMemory. Large segments are cut, and free neighbours merged.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/device.hpp"
#include "core/memory_stats.hpp"

namespace oncilla {

struct Block {
  void* address = nullptr;
  onc_arg at{};
  uint64_t bytes = 0;  // usable
};

class Allocator {
 public:
  explicit Allocator(Device& device);
  ~Allocator();
  // bytes == 0 gives a Block with address NULL. Throws OutOfMemory.
  Block allocate(uint64_t bytes, Queue& queue);
  void free(void* address);  // NULL is fine; an unknown address is Error ONC_INVALID_ARGUMENT
  void record_use(void* address, Queue& queue);
  void release_cached();  // gives whole free segments back to the driver
  // The queue is going away: its free blocks become usable by all after a finish of it.
  void forget(Queue& queue);
  MemoryStats stats() const;
  void reset_peaks();
  void reset_accumulated();  // what was added and removed, retries and failures
  // Every segment with its blocks, in the order of addresses.
  std::vector<SegmentView> snapshot() const;
  // Called under the allocator's lock, so that it may not call the allocator; an empty one ends it.
  void observe(MemoryObserver observer);
  // Bytes that segments may hold together; 0 = the device's size. ONCILLA_MEMORY_CAP (bytes, or with K, M, G) sets it at start.
  void set_cap(uint64_t bytes);
  uint64_t cap() const;
  // Fills every fresh block with NaN bytes (0xFF); ONCILLA_POISON=1 sets it at start.
  void set_poison(bool on);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace oncilla
