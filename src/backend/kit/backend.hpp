// What a plugin written in C++ derives from, and the one place where exceptions become onc_error objects. A plugin implements
// Backend and the handle types below, then writes ONC_PLUGIN(MyBackend, "name", "version") in one file; that defines
// onc_get_api_v1().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kit/desc.hpp"
#include "kit/error.hpp"
#include "oncilla/oncilla.h"

// The handles of oncilla.h, opaque to the host, are base classes to the plugin. Every function may throw, destructors may not.
struct onc_buffer {
  virtual ~onc_buffer() = default;
  virtual uint64_t bytes() const = 0;  // for bounds checks at the border
};

struct onc_event {
  virtual ~onc_event() = default;
  virtual bool done() = 0;
  virtual void sync() = 0;
  virtual double elapsed_since(onc_event& start) = 0;  // nanoseconds
  virtual void then(void (*fn)(void*), void* user) = 0;
  virtual void kernels(onc_event& /*start*/, void (* /*fn*/)(void*, const char*, double, double), void* /*user*/) { sync(); }
};

namespace oncilla::kit {

struct PlanInfo {
  std::string variant, candidates, shape_class, parameters, choices;  // as in onc_plan_info
  uint64_t workspace_bytes = 0, flops = 0, bytes = 0;
};

}  // namespace oncilla::kit

struct onc_queue {
  virtual ~onc_queue() = default;
  virtual void about_to_run(const oncilla::kit::PlanInfo&) {}  // before each run on this queue
  virtual void flush() = 0;
  virtual void finish() = 0;
  virtual std::unique_ptr<onc_event> record() = 0;
  virtual void watch() {}
  virtual void wait(onc_event& event) = 0;
  virtual void* map(onc_arg at, uint64_t bytes, uint32_t flags) = 0;
  virtual void unmap(onc_arg at, void* host) = 0;
  virtual void copy_h2d(onc_arg dst, const void* src, uint64_t bytes, uint32_t flags) = 0;
  virtual void copy_d2h(void* dst, onc_arg src, uint64_t bytes, uint32_t flags) = 0;
  virtual void copy_d2d(onc_arg dst, onc_arg src, uint64_t bytes) = 0;
  virtual void fill(onc_arg dst, uint64_t bytes, const void* pattern, uint32_t pattern_bytes) = 0;
};

namespace oncilla::kit {

// Arguments of one run, checked at the border: the count is the descriptor's, every present argument that is not empty has a
// buffer, and offset + span * itemsize lies inside it. An absent or empty one may hold anything.
struct RunArgs {
  std::span<const onc_arg> args;  // inputs then outputs
  std::span<const onc_scalar> scalars;
  onc_arg workspace;
};

// What a run's argument must fulfil, computed once for each plan.
struct ArgBounds {
  bool present = false, dense = false;
  uint64_t bytes = 0, align = 1;  // that any index reaches; of the offset
};
std::vector<ArgBounds> arg_bounds(const OpDesc& desc);

// The alignment of a workspace's offset.
inline constexpr uint64_t kWorkspaceAlign = 64;

}  // namespace oncilla::kit

struct onc_plan {
  // Keeps what the border needs to check a run. n_scalars: how many run-time scalars the plan reads.
  onc_plan(oncilla::kit::OpDesc description, uint32_t n_scalars)
      : desc(std::move(description)), n_scalars(n_scalars), bounds(oncilla::kit::arg_bounds(desc)) {}
  virtual ~onc_plan() = default;
  virtual void run(onc_queue& queue, const oncilla::kit::RunArgs& run) = 0;

  const oncilla::kit::OpDesc desc;
  const uint32_t n_scalars;
  const std::vector<oncilla::kit::ArgBounds> bounds;  // inputs then outputs
  oncilla::kit::PlanInfo info;
};

namespace oncilla::kit {

// Where a device's examination goes: level ONC_FINDING_*, topic, text, advice (device_examine).
using Findings = std::function<void(uint32_t, const std::string&, const std::string&, const std::string&)>;

}  // namespace oncilla::kit

struct onc_device {
  virtual ~onc_device() = default;
  virtual void stats(onc_device_stats& stats) = 0;  // strings live as long as the device
  virtual std::unique_ptr<onc_buffer> alloc(uint64_t bytes) = 0;
  virtual std::unique_ptr<onc_queue> create_queue(uint32_t flags) = 0;
  virtual std::unique_ptr<onc_plan> plan(oncilla::kit::OpDesc desc) = 0;
  virtual void examine(const oncilla::kit::Findings& /*found*/) {}
};

namespace oncilla::kit {

class Backend {
 public:
  virtual ~Backend() = default;
  virtual uint32_t device_count() = 0;
  virtual void device_info(uint32_t index, onc_device_info& info) = 0;  // index in range; fills a full-size struct
  virtual std::unique_ptr<onc_device> open(uint32_t index, const onc_device_options& options) = 0;
};

// The table whose slots call `backend()` and the handles' virtual functions (backend.cpp). backend() may throw; then every slot
// that needs it returns that error. One a shared object: a second call gives the first table.
const onc_api* make_api(Backend& (*backend)(), const char* name, const char* version);

// How many run-time scalars an op reads, by its row's comment in ops.def, its tape or its epilogue.
uint32_t scalar_count(const OpDesc& desc);

}  // namespace oncilla::kit

// The backend object is leaked on purpose: static destructors may run after the OpenCL loader is gone.
#define ONC_PLUGIN(BackendClass, name, version)               \
  extern "C" ONC_EXPORT const onc_api* onc_get_api_v1(void) { \
    static const onc_api* api = oncilla::kit::make_api(       \
        []() -> oncilla::kit::Backend& {                      \
          static BackendClass* backend = new BackendClass;    \
          return *backend;                                    \
        },                                                    \
        name, version);                                       \
    return api;                                               \
  }
