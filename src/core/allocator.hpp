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

#include "core/device.hpp"

namespace oncilla {

struct MemoryStats {
  uint64_t allocated = 0, allocated_peak = 0;  // bytes asked for and live
  uint64_t active = 0, active_peak = 0;        // bytes of live blocks, and of freed ones waiting for events
  uint64_t reserved = 0, reserved_peak = 0;    // bytes of segments
  uint64_t allocations = 0, frees = 0;         // counts
  uint64_t segments = 0, retries = 0, out_of_memory = 0;
};

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
