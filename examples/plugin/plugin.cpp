// The plugin itself: one device, its memory and queues. Every call is done before it returns, which an in-order queue may do.
#include <chrono>
#include <cstring>

#include "host.hpp"

namespace sample {
namespace {

class Event final : public onc_event {
 public:
  bool done() override { return true; }
  void sync() override {}
  double elapsed_since(onc_event& start) override {
    return std::chrono::duration<double, std::nano>(at_ - static_cast<Event&>(start).at_).count();
  }
  void then(void (*fn)(void*), void* user) override { fn(user); }

 private:
  std::chrono::steady_clock::time_point at_ = std::chrono::steady_clock::now();
};

class Queue final : public onc_queue {
 public:
  void flush() override {}
  void finish() override {}
  std::unique_ptr<onc_event> record() override { return std::make_unique<Event>(); }
  void wait(onc_event&) override {}
  void* map(onc_arg at, uint64_t, uint32_t) override { return address(at); }
  void unmap(onc_arg, void*) override {}
  void copy_h2d(onc_arg dst, const void* src, uint64_t bytes, uint32_t) override { std::memcpy(address(dst), src, bytes); }
  void copy_d2h(void* dst, onc_arg src, uint64_t bytes, uint32_t) override { std::memcpy(dst, address(src), bytes); }
  void copy_d2d(onc_arg dst, onc_arg src, uint64_t bytes) override { std::memmove(address(dst), address(src), bytes); }
  void fill(onc_arg dst, uint64_t bytes, const void* pattern, uint32_t pattern_bytes) override {
    for (uint64_t at = 0; at < bytes; at += pattern_bytes) std::memcpy(address(dst) + at, pattern, pattern_bytes);
  }
};

class Device final : public onc_device {
 public:
  void stats(onc_device_stats& stats) override { stats.warnings = ""; }
  std::unique_ptr<onc_buffer> alloc(uint64_t bytes) override { return std::make_unique<Buffer>(bytes); }
  std::unique_ptr<onc_queue> create_queue(uint32_t) override { return std::make_unique<Queue>(); }
  std::unique_ptr<onc_plan> plan(kit::OpDesc desc) override {
    switch (desc.op) {
      case ONC_OP_EXPR:
        return make_expr(std::move(desc));
      case ONC_OP_SOFTMAX:
        return make_softmax(std::move(desc));
      default:
        throw kit::Error(ONC_UNIMPLEMENTED, kit::cat("[", desc.name(), "] the sample plugin has no such op"));
    }
  }
};

class Sample final : public kit::Backend {
 public:
  uint32_t device_count() override { return 1; }
  void device_info(uint32_t, onc_device_info& info) override {
    info.name = "host memory";
    info.vendor = "an example";
    info.platform = "sample";
    info.driver = "1";
    info.api = "C++20";
    info.features = "";
    info.device_class = ONC_CLASS_CPU;
    info.compute_units = 1;
    info.memory_bytes = info.max_alloc_bytes = uint64_t{1} << 30;
    info.max_work_group = 1;
    info.base_align_bytes = 64;
  }
  std::unique_ptr<onc_device> open(uint32_t, const onc_device_options&) override { return std::make_unique<Device>(); }
};

}  // namespace
}  // namespace sample

ONC_PLUGIN(sample::Sample, "sample", "1")
