// PyTorch's device allocator over the core's caching allocator. A data pointer is an address of the core's address map.
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/DeviceGuard.h>

#include "core/address_map.hpp"
#include "core/allocator.hpp"
#include "torch/device.hpp"
#include "torch/memory_history.hpp"
#include "torch/tensor.hpp"

namespace oncilla::adapter {
namespace {

void release(void* address) {
  if (address == nullptr || in_bad_fork()) return;
  try {
    note_stack();
    if (auto found = AddressMap::get().find(address)) found->device->allocator().free(address);
  } catch (...) {
    // A deleter may not throw; the core has counted the failure.
  }
}

void put(c10::CachingAllocator::StatArray& stats, const Pools& pools) {
  using c10::CachingAllocator::StatType;
  const auto one = [&](StatType type, const Counter& counter) {
    auto& stat = stats[static_cast<size_t>(type)];
    stat.current = static_cast<int64_t>(counter.current);
    stat.peak = static_cast<int64_t>(counter.peak);
    stat.allocated = static_cast<int64_t>(counter.added);
    stat.freed = static_cast<int64_t>(counter.removed);
  };
  one(StatType::AGGREGATE, pools.all);
  one(StatType::SMALL_POOL, pools.small);
  one(StatType::LARGE_POOL, pools.large);
}

struct DeviceAllocator final : c10::DeviceAllocator {
  c10::DataPtr allocate(size_t bytes) override {
    const auto index = current_device();
    const c10::Device where(kOcl, index);
    if (bytes == 0) return {nullptr, nullptr, &release, where};
    Queue* queue = queue_of(index);
    note_stack();
    void* address = translated([&] { return device(index).allocator().allocate(bytes, *queue).address; });
    return {address, address, &release, where};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    if (bytes == 0) return;
    const auto source = AddressMap::get().at(from);
    for (c10::DeviceIndex i = 0; i < device_count(); ++i) {
      if (!is_open(i) || &device(i) != source.device) continue;
      Queue* queue = queue_of(i);
      translated([&] { queue->copy_d2d(place(to), source.at, bytes); });
    }
  }

  bool initialized() override { return device_count() > 0 && !in_bad_fork(); }
  void emptyCache(c10::MempoolId_t) override {
    for (c10::DeviceIndex i = 0; i < device_count(); ++i) {
      if (!is_open(i)) continue;
      synchronize(i);
      translated([&] { device(i).allocator().release_cached(); });
    }
  }
  void recordStream(const c10::DataPtr& data, c10::Stream stream) override {
    if (data.get() == nullptr) return;
    Queue* queue = queue_of(stream);
    translated([&] { queue->device().allocator().record_use(data.get(), *queue); });
  }
  c10::CachingDeviceAllocator::DeviceStats getDeviceStats(c10::DeviceIndex index) override {
    c10::CachingDeviceAllocator::DeviceStats out;
    if (!is_open(index)) return out;
    const MemoryStats stats = device(index).allocator().stats();
    put(out.allocation, stats.allocation);
    put(out.segment, stats.segment);
    put(out.active, stats.active);
    put(out.inactive_split, stats.inactive_split);
    put(out.allocated_bytes, stats.allocated_bytes);
    put(out.requested_bytes, stats.requested_bytes);
    put(out.active_bytes, stats.active_bytes);
    put(out.reserved_bytes, stats.reserved_bytes);
    put(out.inactive_split_bytes, stats.inactive_split_bytes);
    out.num_device_alloc = static_cast<int64_t>(stats.segment.all.added);
    out.num_device_free = static_cast<int64_t>(stats.segment.all.removed);
    out.num_sync_all_streams = static_cast<int64_t>(stats.retries);
    out.num_alloc_retries = static_cast<int64_t>(stats.retries);
    out.num_ooms = static_cast<int64_t>(stats.out_of_memory);
    return out;
  }
  void resetAccumulatedStats(c10::DeviceIndex index) override {
    if (is_open(index)) device(index).allocator().reset_accumulated();
  }
  void resetPeakStats(c10::DeviceIndex index) override {
    if (is_open(index)) device(index).allocator().reset_peaks();
  }
  std::pair<size_t, size_t> getMemoryInfo(c10::DeviceIndex index) override {
    const uint64_t total = device(index).info().memory_bytes;
    const uint64_t reserved = device(index).allocator().stats().reserved_bytes.all.current;
    return {total > reserved ? total - reserved : 0, total};
  }
};

// Leaked: storages outlive static destructors.
DeviceAllocator* const instance = new DeviceAllocator;
REGISTER_ALLOCATOR(kOcl, instance);

}  // namespace
}  // namespace oncilla::adapter
