// Devices and streams: opened when first used, kept for the life of the process. They are leaked on purpose: tensors may be freed
// by Python long after static destructors ran.
#include "torch/device.hpp"

#include <c10/util/Exception.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "torch/index_check.hpp"
#include "torch/tensor.hpp"

namespace oncilla::adapter {
namespace {

struct DeviceState {
  std::once_flag opened;
  std::atomic<bool> open{false};
  std::shared_ptr<Device> device;
  std::mutex mutex;
  std::array<std::unique_ptr<Queue>, kStreams> lanes;
  std::array<std::atomic<bool>, kStreams> made{};
  std::atomic<int> next{0};
};

std::atomic<bool> forked{false};
std::atomic<bool> any_open{false};
thread_local c10::DeviceIndex tls_device = 0;
thread_local std::array<c10::StreamId, 64> tls_stream{};

std::vector<std::unique_ptr<DeviceState>>& states() {
  static auto* list = [] {
    auto* made = new std::vector<std::unique_ptr<DeviceState>>;
    const size_t count = std::min<size_t>(Registry::get().entries().size(), tls_stream.size());
    for (size_t i = 0; i < count; ++i) made->push_back(std::make_unique<DeviceState>());
    return made;
  }();
  return *list;
}

std::string why_no_device() {
  std::string text;
  for (const auto& problem : Registry::get().problems()) text += (text.empty() ? "" : "; ") + problem;
  return text.empty() ? "no plugin offers a device" : text;
}

c10::DeviceIndex checked(c10::DeviceIndex index) {
  if (index < 0) index = current_device();
  const auto count = device_count();
  TORCH_CHECK(count > 0, "[ocl] no device: ", why_no_device());
  TORCH_CHECK(index < count, "[ocl] invalid device index ", static_cast<int>(index), ": there ", count == 1 ? "is " : "are ",
              static_cast<int>(count), count == 1 ? " device" : " devices");
  return index;
}

DeviceState& state(c10::DeviceIndex index) {
  TORCH_CHECK(
      !forked,
      "Cannot re-initialize ocl in forked subprocess. To use ocl with multiprocessing, you must use the 'spawn' start method");
  auto& s = *states()[checked(index)];
  std::call_once(s.opened, [&] {
    s.device = translated([&] { return Registry::get().device(static_cast<uint32_t>(checked(index))); });
    s.open = true;
    // After fork() a driver's threads are gone in the child, so that anything done there would hang.
    if (!any_open.exchange(true)) pthread_atfork(nullptr, nullptr, [] { forked = true; });
    // For example a cache folder that cannot be used: nothing is wrong, but starting will be slow.
    const onc_device_stats stats = s.device->stats();
    if (*stats.warnings != '\0') TORCH_WARN("[ocl] ", s.device->info().name, ": ", stats.warnings);
  });
  return s;
}

// Device times (torch.Event with enable_timing, the trace) need profiling queues; ONCILLA_PROFILING=0 turns them off.
bool profiling() {
  static const bool on = [] {
    const char* text = std::getenv("ONCILLA_PROFILING");
    return text == nullptr || std::string_view(text) != "0";
  }();
  return on;
}

Queue* lane(DeviceState& s, c10::StreamId id) {
  TORCH_CHECK(id >= 0 && id < kStreams, "[ocl] no such stream: ", id);
  if (!s.made[id].load(std::memory_order_acquire)) {
    std::lock_guard lock(s.mutex);
    if (!s.made[id]) {
      s.lanes[id] = translated([&] { return s.device->create_queue(profiling()); });
      s.made[id].store(true, std::memory_order_release);
    }
  }
  return s.lanes[id].get();
}

}  // namespace

c10::DeviceIndex device_count() noexcept {
  try {
    return static_cast<c10::DeviceIndex>(states().size());
  } catch (...) {
    return 0;
  }
}

c10::DeviceIndex current_device() { return tls_device; }
void set_device(c10::DeviceIndex index) { tls_device = checked(index); }
Device& device(c10::DeviceIndex index) { return *state(index).device; }
bool is_open(c10::DeviceIndex index) { return index >= 0 && index < device_count() && states()[index]->open; }
bool in_bad_fork() { return forked; }

Queue* queue_of(c10::DeviceIndex index) { return lane(state(index), tls_stream[index < 0 ? current_device() : index]); }
Queue* queue_of(const c10::Stream& stream) { return lane(state(stream.device_index()), stream.id()); }

namespace {
c10::Stream stream_of(c10::DeviceIndex index, c10::StreamId id) {
  return c10::Stream(c10::Stream::UNSAFE, c10::Device(kOcl, index < 0 ? current_device() : index), id);
}
}  // namespace

c10::Stream default_stream(c10::DeviceIndex index) { return stream_of(index, 0); }
c10::Stream current_stream(c10::DeviceIndex index) { return stream_of(index, tls_stream[index < 0 ? current_device() : index]); }
c10::Stream pool_stream(c10::DeviceIndex index) { return stream_of(index, 1 + state(index).next++ % (kStreams - 1)); }
void set_stream(const c10::Stream& stream) { tls_stream[checked(stream.device_index())] = stream.id(); }

void synchronize(c10::DeviceIndex index) {
  auto& s = state(index);
  IndexMark done;
  for (c10::StreamId id = 0; id < kStreams; ++id) {
    if (!s.made[id]) continue;
    Queue* queue = s.lanes[id].get();
    const IndexMark mark = mark_indices(stream_of(index, id));
    translated([&] { queue->finish(); });
    for (size_t i = 0; i < done.upto.size(); ++i) done.upto[i] = std::max(done.upto[i], mark.upto[i]);
  }
  raise_indices(index < 0 ? current_device() : index, done);
}

void rethrow_as_torch() {
  try {
    throw;
  } catch (const oncilla::Error& error) {
    if (error.code() == ONC_OUT_OF_MEMORY) TORCH_CHECK_WITH(OutOfMemoryError, false, error.what());
    if (error.code() == ONC_UNIMPLEMENTED) throw Declined(error.what());
    TORCH_CHECK(false, error.what());
  }
}

}  // namespace oncilla::adapter
