// PyTorch's device guard (devices, streams, events) and hooks (generators, storages) for ocl.
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "core/address_map.hpp"
#include "torch/device.hpp"
#include "torch/generator.hpp"
#include "torch/host_allocator.hpp"
#include "torch/index_check.hpp"
#include "torch/tensor.hpp"

namespace oncilla::adapter {
namespace {

// An event with its device: another device's queue, perhaps another platform's, cannot wait for it.
struct DeviceEvent {
  Event event;
  c10::DeviceIndex device;
  IndexMark mark;

  void sync() const {
    event.sync();
    raise_indices(device, mark);
  }
};
DeviceEvent& event_of(void* event) { return *static_cast<DeviceEvent*>(event); }

// Whether all work of a stream is done. A marker takes a moment on an idle queue, too; and one that was not done is asked again, so
// that a stream that is polled without end does turn idle.
bool is_idle(const c10::Stream& stream) {
  static std::mutex mutex;
  static auto& pending = *new std::map<std::pair<c10::DeviceIndex, c10::StreamId>, Event>;  // leaked, as the streams
  Queue* queue = queue_of(stream);
  std::lock_guard lock(mutex);
  Event& marker = pending[{stream.device_index(), stream.id()}];
  return translated([&] {
    if (marker && !marker.done()) return false;
    marker = queue->record();
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
    while (!marker.done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    marker = Event();
    return true;
  });
}

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
  bool queryStream(const c10::Stream& stream) const override { return is_idle(stream); }
  void synchronizeStream(const c10::Stream& stream) const override {
    Queue* queue = queue_of(stream);
    const IndexMark mark = mark_indices(stream);
    translated([&] { queue->finish(); });
    raise_indices(stream.device_index(), mark);
  }
  void synchronizeDevice(const c10::DeviceIndex index) const override { synchronize(index); }
  void recordDataPtrOnStream(const c10::DataPtr& data, const c10::Stream& stream) const override {
    c10::getDeviceAllocator(kOcl)->recordStream(data, stream);
  }

  void record(void** event, const c10::Stream& stream, const c10::DeviceIndex, const c10::EventFlag) const override {
    Queue* queue = queue_of(stream);
    const IndexMark mark = mark_indices(stream);
    auto made = std::make_unique<DeviceEvent>(translated([&] { return queue->record(); }), stream.device_index(), mark);
    delete static_cast<DeviceEvent*>(*event);
    *event = made.release();
  }
  void block(void* event, const c10::Stream& stream) const override {
    if (event == nullptr) return;
    const DeviceEvent& recorded = event_of(event);
    Queue* queue = queue_of(stream);
    translated([&] {
      if (recorded.device == stream.device_index()) {
        queue->wait(recorded.event);
        join_indices(stream, recorded.mark);
      } else {
        recorded.sync();
      }
    });
  }
  bool queryEvent(void* event) const override {
    return event == nullptr || translated([&] { return event_of(event).event.done(); });
  }
  void synchronizeEvent(void* event) const override {
    if (event != nullptr) translated([&] { event_of(event).sync(); });
  }
  void destroyEvent(void* event, const c10::DeviceIndex) const noexcept override {
    if (!in_bad_fork()) delete static_cast<DeviceEvent*>(event);
  }
  double elapsedTime(void* start, void* end, const c10::DeviceIndex) const override {
    TORCH_CHECK(start != nullptr && end != nullptr, "Both events must be recorded before calculating elapsed time.");
    const DeviceEvent &from = event_of(start), &to = event_of(end);
    TORCH_CHECK(from.device == to.device, "[event] elapsed_time between events of two devices, ocl:", static_cast<int>(from.device),
                " and ocl:", static_cast<int>(to.device), ": their clocks differ");
    return translated([&] {
      to.sync();
      return to.event.elapsed_ns(from.event) * 1e-6;
    });
  }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

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
  bool isPinnedPtr(const void* data) const override { return is_pinned(data); }
  c10::Allocator* getPinnedMemoryAllocator() const override { return at::getHostAllocator(kOcl); }
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
