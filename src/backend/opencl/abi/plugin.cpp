// The opencl plugin's entry: its devices, as the ABI shows them.
#include <algorithm>
#include <mutex>

#include "kit/backend.hpp"
#include "runtime/device.hpp"
#include "runtime/platforms.hpp"
#include "runtime/process.hpp"

namespace oncilla::ocl {

namespace {

class OpenclBackend final : public kit::Backend {
 public:
  uint32_t device_count() override { return static_cast<uint32_t>(listed_devices().size()); }

  void device_info(uint32_t index, onc_device_info& info) override {
    const Listed& d = listed_devices().at(index);
    info.name = d.name.c_str();
    info.vendor = d.vendor.c_str();
    info.platform = d.platform_name.c_str();
    info.driver = d.driver.c_str();
    info.api = d.api.c_str();
    info.device_class = d.device_class;
    info.compute_units = d.compute_units;
    info.memory_bytes = d.memory_bytes;
    info.max_alloc_bytes = d.max_alloc_bytes;
    info.local_bytes = d.local_bytes;
    info.max_work_group = d.max_work_group;
    info.base_align_bytes = d.base_align_bytes;
    const std::lock_guard guard(mutex_);
    info.features = d.features.c_str();
  }

  std::unique_ptr<onc_device> open(uint32_t index, const onc_device_options& options) override {
    Listed& d = listed_devices().at(index);
    auto device = std::make_unique<Device>(d.platform, d.id, options);
    const std::lock_guard guard(mutex_);
    // Given-out strings live on, so this one is set once.
    if (d.features.empty()) d.features = device->features().str();
    return device;
  }

 private:
  std::mutex mutex_;
};

}  // namespace

}  // namespace oncilla::ocl

ONC_PLUGIN(oncilla::ocl::OpenclBackend, "opencl", "0.1.0")
