// A plugin whose memory is the host's and whose plans compute nothing: what the tests of the border talk to. It throws on demand:
// the host sets test_throws, and every virtual function but those of the buffer then throws in that manner.
#include <cstring>
#include <new>
#include <vector>

#include "kit/backend.hpp"

extern "C" {
// 0: nothing; 1: a standard exception; 2: an int; 3: bad_alloc; 4: the kit's Error; 5: an Error with the code of success.
ONC_EXPORT int test_throws = 0;
// 1: the functions that create something give nothing.
ONC_EXPORT int test_gives_nothing = 0;
}

namespace {

namespace kit = oncilla::kit;

void maybe_throw() {
  switch (test_throws) {
    case 1:
      throw std::runtime_error("a standard exception");
    case 2:
      throw 42;
    case 3:
      throw std::bad_alloc();
    case 4:
      throw kit::Error(ONC_DEVICE_LOST, "[null] lost");
    case 5:
      throw kit::Error(ONC_OK, "[null] success, thrown");
    default:
      break;
  }
}

struct NullBuffer : onc_buffer {
  explicit NullBuffer(uint64_t bytes) : memory(bytes) {}
  uint64_t bytes() const override { return memory.size(); }
  std::vector<unsigned char> memory;
};

unsigned char* at_host(onc_arg at) { return static_cast<NullBuffer*>(at.buffer)->memory.data() + at.offset; }

struct NullEvent : onc_event {
  bool done() override {
    maybe_throw();
    return true;
  }
  void sync() override { maybe_throw(); }
  double elapsed_since(onc_event&) override {
    maybe_throw();
    return 1;
  }
  void then(void (*fn)(void*), void* user) override {
    maybe_throw();
    fn(user);
  }
  void kernels(onc_event&, void (*fn)(void*, const char*, double, double), void* user) override {
    maybe_throw();
    fn(user, "nothing", 0, 1);
  }
};

struct NullQueue : onc_queue {
  void flush() override { maybe_throw(); }
  void finish() override { maybe_throw(); }
  std::unique_ptr<onc_event> record() override {
    maybe_throw();
    return test_gives_nothing != 0 ? nullptr : std::make_unique<NullEvent>();
  }
  void watch() override { maybe_throw(); }
  void wait(onc_event&) override { maybe_throw(); }
  void* map(onc_arg at, uint64_t, uint32_t) override {
    maybe_throw();
    return at_host(at);
  }
  void unmap(onc_arg, void*) override { maybe_throw(); }
  void copy_h2d(onc_arg dst, const void* src, uint64_t bytes, uint32_t) override {
    maybe_throw();
    std::memcpy(at_host(dst), src, bytes);
  }
  void copy_d2h(void* dst, onc_arg src, uint64_t bytes, uint32_t) override {
    maybe_throw();
    std::memcpy(dst, at_host(src), bytes);
  }
  void copy_d2d(onc_arg dst, onc_arg src, uint64_t bytes) override {
    maybe_throw();
    std::memcpy(at_host(dst), at_host(src), bytes);
  }
  void fill(onc_arg dst, uint64_t bytes, const void* pattern, uint32_t pattern_bytes) override {
    maybe_throw();
    for (uint64_t i = 0; i < bytes; i += pattern_bytes) std::memcpy(at_host(dst) + i, pattern, pattern_bytes);
  }
};

struct NullPlan : onc_plan {
  NullPlan(kit::OpDesc desc, uint32_t n_scalars) : onc_plan(std::move(desc), n_scalars) {
    info.variant = info.candidates = "null";
    if (this->desc.op == ONC_OP_MATMUL) info.workspace_bytes = 256;
  }
  void run(onc_queue&, const kit::RunArgs&) override { maybe_throw(); }
};

struct NullDevice : onc_device {
  void stats(onc_device_stats& stats) override {
    maybe_throw();
    stats.launches = 7;
    stats.warnings = "a warning";
  }
  void examine(const kit::Findings& found) override {
    maybe_throw();
    found(ONC_FINDING_NOTE, "null", "nothing was looked at", "");
  }
  std::unique_ptr<onc_buffer> alloc(uint64_t bytes) override {
    maybe_throw();
    kit::require(bytes <= 1 << 24, "[alloc] ", bytes, " bytes are above 16 MiB");
    return test_gives_nothing != 0 ? nullptr : std::make_unique<NullBuffer>(bytes);
  }
  std::unique_ptr<onc_queue> create_queue(uint32_t) override {
    maybe_throw();
    return test_gives_nothing != 0 ? nullptr : std::make_unique<NullQueue>();
  }
  std::unique_ptr<onc_plan> plan(kit::OpDesc desc) override {
    maybe_throw();
    if (!desc.variant.empty() && desc.variant != "null") {
      throw kit::Error(ONC_NOT_FOUND, kit::cat("[", desc.name(), "] there is no variant ", desc.variant));
    }
    const uint32_t n_scalars = kit::scalar_count(desc);
    return test_gives_nothing != 0 ? nullptr : std::make_unique<NullPlan>(std::move(desc), n_scalars);
  }
};

struct NullBackend : kit::Backend {
  uint32_t device_count() override {
    maybe_throw();
    return 2;
  }
  void device_info(uint32_t, onc_device_info& info) override {
    maybe_throw();
    info.name = "nothing";
    info.memory_bytes = info.max_alloc_bytes = 1 << 24;
    info.compute_units = 3;
    info.base_align_bytes = 64;
  }
  std::unique_ptr<onc_device> open(uint32_t, const onc_device_options&) override {
    maybe_throw();
    return test_gives_nothing != 0 ? nullptr : std::make_unique<NullDevice>();
  }
};

}  // namespace

ONC_PLUGIN(NullBackend, "null", "1.0")
