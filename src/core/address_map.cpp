// The reserved range behind address_map.hpp: chunks of 2 MiB, and one table entry a chunk that names the buffer which covers it.
// Looking up an address is two dependent loads and takes no lock; inserting and erasing do.
#include "core/address_map.hpp"

#include <sys/mman.h>

#include <atomic>
#include <cstdio>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace oncilla {
namespace {

constexpr uint64_t kChunkShift = 21;
constexpr uint64_t kChunk = uint64_t{1} << kChunkShift;
constexpr uint64_t kGap = 4096;
constexpr uint64_t kLargestRange = uint64_t{16} << 40;
constexpr uint64_t kSmallestRange = uint64_t{1} << 30;

// Fields are atomic because a lookup of an address that is being erased, a defect of the caller, must not become a data race here.
struct Entry {
  std::atomic<uint64_t> base{0}, bytes{0};
  std::atomic<Device*> device{nullptr};
  std::atomic<onc_buffer*> buffer{nullptr};
};

std::string hex(uint64_t address) {
  char text[24];
  std::snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(address));
  return text;
}

class Range {
 public:
  Range() {
    for (size_ = kLargestRange; size_ >= kSmallestRange; size_ /= 2) {
      void* at = mmap(nullptr, size_ + kChunk, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (at == MAP_FAILED) continue;
      const uint64_t table_bytes = (size_ >> kChunkShift) * sizeof(std::atomic<Entry*>);
      // Zero pages that are committed when first written: a lock-free atomic pointer of zero bits is a null pointer.
      void* table = mmap(nullptr, table_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (table == MAP_FAILED) {
        munmap(at, size_ + kChunk);
        continue;
      }
      base_ = (reinterpret_cast<uint64_t>(at) + kChunk - 1) & ~(kChunk - 1);
      table_ = static_cast<std::atomic<Entry*>*>(table);
      free_.emplace(0, size_ >> kChunkShift);
      return;
    }
    throw Error(ONC_OUT_OF_MEMORY, "[address map] the system refuses to reserve even " + std::to_string(kSmallestRange) +
                                       " bytes of addresses; is the address space limited (ulimit -v)?");
  }

  uint64_t insert(Device* device, onc_buffer* buffer, uint64_t bytes) {
    if (bytes > size_)
      throw Error(ONC_OUT_OF_MEMORY,
                  "[address map] " + std::to_string(bytes) + " bytes do not fit a range of " + std::to_string(size_));
    const uint64_t chunks = chunks_for(bytes);
    std::lock_guard lock(mutex_);
    const uint64_t first = take(chunks);
    Entry* entry;
    if (spare_.empty()) {
      entry = &entries_.emplace_back();
    } else {
      entry = spare_.back();
      spare_.pop_back();
    }
    const uint64_t base = base_ + (first << kChunkShift);
    entry->base.store(base, std::memory_order_relaxed);
    entry->bytes.store(bytes, std::memory_order_relaxed);
    entry->device.store(device, std::memory_order_relaxed);
    entry->buffer.store(buffer, std::memory_order_relaxed);
    for (uint64_t i = first; i < first + chunks; ++i) table_[i].store(entry, std::memory_order_release);
    return base;
  }

  void erase(uint64_t base) {
    std::lock_guard lock(mutex_);
    Entry* entry = covers(base) ? table_[index(base)].load(std::memory_order_relaxed) : nullptr;
    if (entry == nullptr || entry->base.load(std::memory_order_relaxed) != base) {
      throw Error(ONC_INVALID_ARGUMENT, "[address map] erase: " + hex(base) + " is not the start of a live buffer");
    }
    const uint64_t first = index(base);
    const uint64_t chunks = chunks_for(entry->bytes.load(std::memory_order_relaxed));
    for (uint64_t i = first; i < first + chunks; ++i) table_[i].store(nullptr, std::memory_order_release);
    spare_.push_back(entry);
    give(first, chunks);
  }

  const Entry* find(uint64_t address) const {
    if (!covers(address)) return nullptr;
    const Entry* entry = table_[index(address)].load(std::memory_order_acquire);
    if (entry == nullptr) return nullptr;
    const uint64_t offset = address - entry->base.load(std::memory_order_relaxed);
    return offset <= entry->bytes.load(std::memory_order_relaxed) ? entry : nullptr;
  }

  bool covers(uint64_t address) const { return address - base_ < size_; }

 private:
  // At least a page beyond the buffer's end belongs to no other, so that the address past its end is not the start of another.
  static uint64_t chunks_for(uint64_t bytes) { return ((bytes + kGap) >> kChunkShift) + 1; }
  uint64_t index(uint64_t address) const { return (address - base_) >> kChunkShift; }

  // Next fit: addresses are handed out in a circle, so that a stale one stays invalid for as long as possible.
  uint64_t take(uint64_t chunks) {
    const auto from = free_.lower_bound(cursor_);
    auto hit = from;
    while (hit != free_.end() && hit->second < chunks) ++hit;
    if (hit == free_.end()) {
      hit = free_.begin();
      while (hit != from && hit->second < chunks) ++hit;
      if (hit == from) {
        throw Error(ONC_OUT_OF_MEMORY, "[address map] no run of " + std::to_string(chunks << kChunkShift) +
                                           " free addresses in a range of " + std::to_string(size_));
      }
    }
    const auto [first, length] = *hit;
    free_.erase(hit);
    if (length > chunks) free_.emplace(first + chunks, length - chunks);
    cursor_ = first + chunks;
    return first;
  }

  void give(uint64_t first, uint64_t chunks) {
    auto at = free_.emplace(first, chunks).first;
    if (const auto next = std::next(at); next != free_.end() && next->first == first + chunks) {
      at->second += next->second;
      free_.erase(next);
    }
    if (at != free_.begin()) {
      if (const auto before = std::prev(at); before->first + before->second == at->first) {
        before->second += at->second;
        free_.erase(at);
      }
    }
  }

  uint64_t base_ = 0, size_ = 0;
  std::atomic<Entry*>* table_ = nullptr;
  std::mutex mutex_;
  std::map<uint64_t, uint64_t> free_;  // first chunk -> chunks
  uint64_t cursor_ = 0;
  std::deque<Entry> entries_;
  std::vector<Entry*> spare_;
};

// Leaked, so that addresses can be looked up until the very end of the process.
Range& range() {
  static auto* it = new Range;
  return *it;
}

uint64_t number(const void* address) { return reinterpret_cast<uint64_t>(address); }

}  // namespace

AddressMap& AddressMap::get() {
  static AddressMap map;
  return map;
}

void* AddressMap::insert(Device* device, onc_buffer* buffer, uint64_t bytes) {
  return reinterpret_cast<void*>(range().insert(device, buffer, bytes));
}

void AddressMap::erase(void* base) { range().erase(number(base)); }

std::optional<AddressMap::Place> AddressMap::find(const void* address) const {
  const Entry* entry = range().find(number(address));
  if (entry == nullptr) return std::nullopt;
  const uint64_t offset = number(address) - entry->base.load(std::memory_order_relaxed);
  return Place{entry->device.load(std::memory_order_relaxed),
               {entry->buffer.load(std::memory_order_relaxed), offset},
               entry->bytes.load(std::memory_order_relaxed) - offset};
}

AddressMap::Place AddressMap::at(const void* address) const {
  if (const auto place = find(address)) return *place;
  throw Error(ONC_INVALID_ARGUMENT, "[address map] " + hex(number(address)) +
                                        (contains(address) ? " belongs to no live device memory: it was freed, or lies past its end"
                                                           : " is not an address of device memory"));
}

bool AddressMap::contains(const void* address) const { return range().covers(number(address)); }

}  // namespace oncilla
