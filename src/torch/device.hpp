// Devices, streams and errors of the adapter: which device and stream a thread uses, and the core's queue behind each stream.
// (The core's Queue locks itself, so that autograd's threads may share a stream with the caller.)
#pragma once

#include <c10/core/Device.h>
#include <c10/core/Stream.h>

#include "core/device.hpp"
#include "core/op.hpp"

namespace oncilla::adapter {

constexpr c10::DeviceType kOcl = c10::DeviceType::PrivateUse1;
constexpr int kStreams = 5;  // of a device: the default one, and those that pool_stream() hands out in turn

// 0 where no plugin offers a device; never throws.
c10::DeviceIndex device_count() noexcept;
c10::DeviceIndex current_device();
void set_device(c10::DeviceIndex index);
// The opened device; -1 is the current one. Throws in a child of fork() once the parent had opened a device.
Device& device(c10::DeviceIndex index);
bool is_open(c10::DeviceIndex index);
bool in_bad_fork();

// The queue of this thread's current stream on a device.
Queue* queue_of(c10::DeviceIndex index);
Queue* queue_of(const c10::Stream& stream);

c10::Stream default_stream(c10::DeviceIndex index);
c10::Stream current_stream(c10::DeviceIndex index);
c10::Stream pool_stream(c10::DeviceIndex index);
void set_stream(const c10::Stream& stream);
// Waits for every stream of the device. Its errors surface here.
void synchronize(c10::DeviceIndex index);

// Runs `work` and turns the core's errors into PyTorch's: OutOfMemoryError, and RuntimeError for the rest.
template <class Work>
auto translated(Work&& work);

[[noreturn]] void rethrow_as_torch();

template <class Work>
auto translated(Work&& work) {
  try {
    return work();
  } catch (const oncilla::Error&) {
    rethrow_as_torch();
  }
}

}  // namespace oncilla::adapter
