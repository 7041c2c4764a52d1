// The reference plugin: one device of class cpu in host memory, the oracle of every test. Slow and plain. Its queues run each call
// before they return, so an event is done when it is recorded; apart from that they behave as the ABI says.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <new>

#include "kit/backend.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {
namespace {

uint64_t host_memory() { return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE)); }

class Event final : public onc_event {
 public:
  explicit Event(bool profiling) : profiling_(profiling) {}
  bool done() override { return true; }
  void sync() override {}
  double elapsed_since(onc_event& start) override {
    const auto& from = static_cast<Event&>(start);
    kit::require(profiling_ && from.profiling_, "[event_elapsed] both events need a queue with ONC_QUEUE_PROFILING");
    return std::chrono::duration<double, std::nano>(at_ - from.at_).count();
  }
  void then(void (*fn)(void*), void* user) override { fn(user); }

 private:
  bool profiling_;
  std::chrono::steady_clock::time_point at_ = std::chrono::steady_clock::now();
};

// Counters that buffers, queues and plans outlive the device with.
struct Counters {
  std::atomic<uint64_t> bytes{0}, buffers{0}, launches{0};
};

class Queue final : public LaunchQueue {
 public:
  Queue(uint32_t flags, std::shared_ptr<Counters> counters)
      : profiling_((flags & ONC_QUEUE_PROFILING) != 0), counters_(std::move(counters)) {}
  void count_launch() override { counters_->launches += 1; }
  void flush() override {}
  void finish() override {}
  std::unique_ptr<onc_event> record() override { return std::make_unique<Event>(profiling_); }
  void wait(onc_event&) override {}
  void* map(onc_arg at, uint64_t, uint32_t) override { return address(at); }
  void unmap(onc_arg, void*) override {}
  void copy_h2d(onc_arg dst, const void* src, uint64_t bytes, uint32_t) override { std::memcpy(address(dst), src, bytes); }
  void copy_d2h(void* dst, onc_arg src, uint64_t bytes, uint32_t) override { std::memcpy(dst, address(src), bytes); }
  void copy_d2d(onc_arg dst, onc_arg src, uint64_t bytes) override { std::memmove(address(dst), address(src), bytes); }
  void fill(onc_arg dst, uint64_t bytes, const void* pattern, uint32_t pattern_bytes) override {
    for (uint64_t at = 0; at < bytes; at += pattern_bytes) std::memcpy(address(dst) + at, pattern, pattern_bytes);
  }

 private:
  bool profiling_;
  std::shared_ptr<Counters> counters_;
};

class Device final : public onc_device {
 public:
  void stats(onc_device_stats& stats) override {
    stats.buffer_bytes = counters_->bytes;
    stats.buffers = counters_->buffers;
    stats.launches = counters_->launches;
    stats.warnings = "";
  }
  std::unique_ptr<onc_buffer> alloc(uint64_t bytes) override {
    kit::require(bytes > 0, "[buffer_alloc] 0 bytes");
    const auto refuse = [&] {
      throw kit::Error(ONC_OUT_OF_MEMORY, kit::cat("[buffer_alloc] ", bytes, " bytes do not fit: the host has ", host_memory(),
                                                   " and this device holds ", counters_->bytes.load()));
    };
    if (bytes > host_memory()) refuse();
    try {
      auto buffer = std::make_unique<Buffer>(bytes, [counters = counters_, bytes] {
        counters->bytes -= bytes;
        counters->buffers -= 1;
      });
      counters_->bytes += bytes;
      counters_->buffers += 1;
      return buffer;
    } catch (const std::bad_alloc&) {
      refuse();
    }
    return nullptr;
  }
  std::unique_ptr<onc_queue> create_queue(uint32_t flags) override { return std::make_unique<Queue>(flags, counters_); }
  std::unique_ptr<onc_plan> plan(kit::OpDesc desc) override {
    switch (desc.op) {
#define ONC_OP(number, NAME, name, ...) \
  case number:                          \
    return make_##name(std::move(desc));
#include "oncilla/ops.def"
#undef ONC_OP
      default:
        throw kit::Error(ONC_UNIMPLEMENTED, kit::cat("[reference] op ", desc.op, " is unknown"));
    }
  }

 private:
  std::shared_ptr<Counters> counters_ = std::make_shared<Counters>();
};

class ReferenceBackend final : public kit::Backend {
 public:
  uint32_t device_count() override { return 1; }
  void device_info(uint32_t, onc_device_info& info) override {
    info.name = "reference";
    info.vendor = "Oncilla";
    info.platform = "host";
    info.driver = "1";
    info.api = "C++20, Eigen";
    info.features = "fp64";
    info.device_class = ONC_CLASS_CPU;
    info.compute_units = 1;
    info.memory_bytes = info.max_alloc_bytes = host_memory();
    info.local_bytes = 0;
    info.max_work_group = 1;
    info.base_align_bytes = 64;
  }
  std::unique_ptr<onc_device> open(uint32_t, const onc_device_options&) override { return std::make_unique<Device>(); }
};

}  // namespace
}  // namespace oncilla::reference

ONC_PLUGIN(oncilla::reference::ReferenceBackend, "reference", "0.1.0")
