// PyTorch's device guard (devices, streams, events) and hooks (generators, storages) for ocl.
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <map>
#include <mutex>

#include "core/address_map.hpp"
#include "torch/device.hpp"
#include "torch/generator.hpp"
#include "torch/tensor.hpp"

namespace oncilla::adapter {
namespace {

struct Guard final : c10::impl::DeviceGuardImplInterface {
  static constexpr c10::DeviceType static_type = kOcl;
  c10::DeviceType type() const override { return kOcl; }
  c10::Device exchangeDevice(c10::Device to) const override {
    const c10::Device old = getDevice();
    if (old != to) setDevice(to);
    return old;
  }
  c10::Device getDevice() const override { return {kOcl, current_device()}; }
  void setDevice(c10::Device to) const override { set_device(to.index()); }
  void uncheckedSetDevice(c10::Device to) const noexcept override {
    if (to.index() >= 0 && to.index() < adapter::device_count()) set_device(to.index());
  }
  c10::DeviceIndex deviceCount() const noexcept override { return adapter::device_count(); }
  c10::DeviceCapability getDeviceCapability(c10::Device) const override {
    c10::DeviceCapability out;
    out.capability_data.capability_bits = 0;
    for (auto index : {c10::kIndex_Byte, c10::kIndex_Char, c10::kIndex_Short, c10::kIndex_Int, c10::kIndex_Long, c10::kIndex_Half,
                       c10::kIndex_Float, c10::kIndex_Double, c10::kIndex_Bool, c10::kIndex_BFloat16}) {
      out.capability_data.capability_bits |= 1ULL << index;
    }
    return out;
  }

  c10::Stream getStream(c10::Device where) const override { return current_stream(where.index()); }
  c10::Stream getDefaultStream(c10::Device where) const override { return default_stream(where.index()); }
  c10::Stream getStreamFromGlobalPool(c10::Device where, bool) const override { return pool_stream(where.index()); }
  c10::Stream getNewStream(c10::Device where, int) const override { return pool_stream(where.index()); }
  c10::Stream exchangeStream(c10::Stream to) const override {
    const c10::Stream old = current_stream(to.device_index());
    set_stream(to);
    return old;
  }
  void* getStreamNativeHandle(const c10::Stream stream) const override { return queue_of(stream)->handle(); }
  bool queryStream(const c10::Stream& stream) const override {
    Queue* queue = queue_of(stream);
    return translated([&] { return queue->record().done(); });
  }
  void synchronizeStream(const c10::Stream& stream) const override {
    Queue* queue = queue_of(stream);
    translated([&] { queue->finish(); });
  }
  void synchronizeDevice(const c10::DeviceIndex index) const override { synchronize(index); }
  void recordDataPtrOnStream(const c10::DataPtr& data, const c10::Stream& stream) const override {
    c10::getDeviceAllocator(kOcl)->recordStream(data, stream);
  }

  void record(void** event, const c10::Stream& stream, const c10::DeviceIndex, const c10::EventFlag) const override {
    Queue* queue = queue_of(stream);
    auto made = std::make_unique<Event>(translated([&] { return queue->record(); }));
    delete static_cast<Event*>(*event);
    *event = made.release();
  }
  void block(void* event, const c10::Stream& stream) const override {
    if (event == nullptr) return;
    Queue* queue = queue_of(stream);
    translated([&] { queue->wait(*static_cast<Event*>(event)); });
  }
  bool queryEvent(void* event) const override {
    return event == nullptr || translated([&] { return static_cast<Event*>(event)->done(); });
  }
  void synchronizeEvent(void* event) const override {
    if (event != nullptr) translated([&] { static_cast<Event*>(event)->sync(); });
  }
  void destroyEvent(void* event, const c10::DeviceIndex) const noexcept override {
    if (!in_bad_fork()) delete static_cast<Event*>(event);
  }
  double elapsedTime(void* start, void* end, const c10::DeviceIndex) const override {
    TORCH_CHECK(start != nullptr && end != nullptr, "Both events must be recorded before calculating elapsed time.");
    return translated([&] {
      static_cast<Event*>(end)->sync();
      return static_cast<Event*>(end)->elapsed_ns(*static_cast<Event*>(start)) * 1e-6;
    });
  }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

// Host memory for pin_memory(): ordinary memory that is remembered as pinned. A copy never keeps a pointer beyond its call, so that
// nothing has to wait before reuse.
struct PinnedAllocator final : at::HostAllocator {
  static std::mutex& mutex() {
    static auto* m = new std::mutex;
    return *m;
  }
  static std::map<const char*, size_t>& blocks() {
    static auto* all = new std::map<const char*, size_t>;
    return *all;
  }
  static void release(void* memory) {
    {
      std::lock_guard lock(mutex());
      blocks().erase(static_cast<const char*>(memory));
    }
    c10::GetAllocator(c10::kCPU)->raw_deallocate(memory);
  }
  static bool contains(const void* memory) {
    std::lock_guard lock(mutex());
    auto after = blocks().upper_bound(static_cast<const char*>(memory));
    if (after == blocks().begin()) return false;
    --after;
    return static_cast<const char*>(memory) < after->first + std::max<size_t>(after->second, 1);
  }
  c10::DataPtr allocate(size_t bytes) override {
    void* memory = c10::GetAllocator(c10::kCPU)->raw_allocate(std::max<size_t>(bytes, 1));
    std::lock_guard lock(mutex());
    blocks()[static_cast<const char*>(memory)] = bytes;
    return {memory, memory, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }
  bool record_event(void*, void*, c10::Stream) override { return true; }
  void empty_cache() override {}
  at::HostStats get_stats() override { return {}; }
  void reset_accumulated_stats() override {}
  void reset_peak_stats() override {}
};
PinnedAllocator* const pinned = new PinnedAllocator;
REGISTER_HOST_ALLOCATOR(c10::DeviceType::PrivateUse1, pinned)

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return device_count() > 0; }
  bool hasPrimaryContext(c10::DeviceIndex index) const override { return is_open(index); }
  c10::DeviceIndex deviceCount() const override { return device_count(); }
  void setCurrentDevice(c10::DeviceIndex index) const override { set_device(index); }
  c10::DeviceIndex getCurrentDevice() const override { return current_device(); }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex index) const override {
    const auto old = current_device();
    set_device(index);
    return old;
  }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex index) const override {
    const auto old = current_device();
    if (index >= 0) set_device(index);
    return old;
  }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex index) const override { return default_generator(index); }
  at::Generator getNewGenerator(c10::DeviceIndex index) const override {
    return at::make_generator<GeneratorImpl>(index < 0 ? current_device() : index);
  }
  c10::Device getDeviceFromPtr(void* data) const override {
    const auto found = AddressMap::get().at(data);
    for (c10::DeviceIndex i = 0; i < device_count(); ++i) {
      if (is_open(i) && &device(i) == found.device) return {kOcl, i};
    }
    TORCH_CHECK(false, "[ocl] the address belongs to a device that is not open");
  }
  bool isPinnedPtr(const void* data) const override { return PinnedAllocator::contains(data); }
  c10::Allocator* getPinnedMemoryAllocator() const override { return pinned; }
  void resizePrivateUse1Bytes(const c10::Storage& storage, size_t bytes) const override {
    auto* impl = storage.unsafeGetStorageImpl();
    TORCH_CHECK(impl->resizable(), "Trying to resize storage that is not resizable");
    const c10::DeviceGuard guard(storage.device());
    c10::DataPtr fresh = impl->allocator()->allocate(bytes);
    const size_t kept = std::min(bytes, impl->nbytes());
    if (kept > 0) {
      Queue* queue = queue_of(storage.device().index());
      translated([&] { queue->copy_d2d(place(fresh.get()), place(impl->data()), kept); });
    }
    impl->set_data_ptr_noswap(std::move(fresh));
    impl->set_nbytes(bytes);
  }
};
[[maybe_unused]] const bool registered = [] {
  at::RegisterPrivateUse1HooksInterface(new Hooks);
  return true;
}();

}  // namespace
}  // namespace oncilla::adapter
