// torch.profiler's view of the device: the spans that the core's trace collects, each linked to the PyTorch op that enqueued it.
#include <libkineto.h>
#include <torch/csrc/profiler/standalone/privateuse1_profiler.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/trace.hpp"
#include "torch/device.hpp"

namespace oncilla::adapter {
namespace {

int64_t nanoseconds(auto now) { return std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count(); }

// Kineto counts in the system's clock, the trace in the steady one.
int64_t clock_difference() { return nanoseconds(std::chrono::system_clock::now()) - nanoseconds(std::chrono::steady_clock::now()); }

void finish_all() {
  for (c10::DeviceIndex i = 0; i < device_count(); ++i) {
    if (is_open(i)) synchronize(i);
  }
}

c10::DeviceIndex index_of(const Device* wanted) {
  for (c10::DeviceIndex i = 0; i < device_count(); ++i) {
    if (is_open(i) && &device(i) == wanted) return i;
  }
  return 0;
}

libkineto::ActivityType type_of(const TraceSpan& span) {
  if (span.name.starts_with("copy_")) return libkineto::ActivityType::GPU_MEMCPY;
  if (span.name == "fill") return libkineto::ActivityType::GPU_MEMSET;
  return libkineto::ActivityType::CONCURRENT_KERNEL;
}

thread_local std::vector<uint64_t> correlations;

class Session final : public libkineto::IActivityProfilerSession {
 public:
  void start() override {
    finish_all();  // what was enqueued before belongs to nobody here
    began_ns_ = static_cast<uint64_t>(nanoseconds(std::chrono::steady_clock::now()));
    was_on_ = Trace::get().on();
    if (!was_on_) Trace::get().start();
    status_ = libkineto::TraceStatus::RECORDING;
  }

  void stop() override {
    try {
      finish_all();
    } catch (const std::exception& error) {
      errors_.push_back(error.what());
    }
    if (!was_on_) Trace::get().stop();
    status_ = libkineto::TraceStatus::PROCESSING;
  }

  std::vector<std::string> errors() override { return errors_; }

  void processTrace(libkineto::ActivityLogger& logger) override { processTrace(logger, {}, 0, INT64_MAX); }

  void processTrace(libkineto::ActivityLogger& logger, libkineto::getLinkedActivityCallback linked, int64_t, int64_t) override {
    const int64_t difference = clock_difference();
    buffer_ = std::make_unique<libkineto::CpuTraceBuffer>();
    buffer_->span =
        libkineto::TraceSpan(static_cast<int64_t>(began_ns_) + difference, nanoseconds(std::chrono::system_clock::now()), "ocl");
    buffer_->gpuOpCount = 0;
    for (const TraceSpan& span : Trace::get().spans(began_ns_)) {
      if (span.device == nullptr || span.kernel)
        continue;  // PyTorch times the host itself; an op's span holds those of its kernels
      buffer_->emplace_activity(buffer_->span, type_of(span), span.name);
      auto& activity = *buffer_->activities.back();
      activity.startTime = static_cast<int64_t>(span.begin_ns) + difference;
      activity.endTime = static_cast<int64_t>(span.end_ns) + difference;
      activity.id = static_cast<int32_t>(span.tag);
      activity.device = index_of(span.device);
      activity.resource = static_cast<int32_t>(span.track);
      activity.threadId = libkineto::threadId();
      activity.linked = linked ? linked(activity.id) : nullptr;
      if (activity.linked != nullptr) {
        activity.flow.id = static_cast<uint32_t>(activity.id);
        activity.flow.type = libkineto::kLinkAsyncCpuGpu;
        activity.flow.start = false;
      }
      activity.addMetadataQuoted("shapes", span.shapes);
      activity.log(logger);
      ++buffer_->gpuOpCount;
    }
    status_ = libkineto::TraceStatus::READY;
  }

  std::unique_ptr<libkineto::DeviceInfo> getDeviceInfo() override { return {}; }
  std::vector<libkineto::ResourceInfo> getResourceInfos() override { return {}; }
  std::unique_ptr<libkineto::CpuTraceBuffer> getTraceBuffer() override { return std::move(buffer_); }

  void pushCorrelationId(uint64_t id) override { correlations.push_back(Trace::set_tag(id)); }
  void popCorrelationId() override {
    if (correlations.empty()) return;
    Trace::set_tag(correlations.back());
    correlations.pop_back();
  }

 private:
  uint64_t began_ns_ = 0;
  bool was_on_ = false;
  std::vector<std::string> errors_;
  std::unique_ptr<libkineto::CpuTraceBuffer> buffer_;
};

class Profiler final : public libkineto::IActivityProfiler {
 public:
  const std::string& name() const override {
    static const std::string text = "ocl";
    return text;
  }
  const std::set<libkineto::ActivityType>& availableActivities() const override {
    static const std::set<libkineto::ActivityType> types = {
        libkineto::ActivityType::CONCURRENT_KERNEL, libkineto::ActivityType::GPU_MEMCPY, libkineto::ActivityType::GPU_MEMSET};
    return types;
  }
  std::unique_ptr<libkineto::IActivityProfilerSession> configure(const std::set<libkineto::ActivityType>& types,
                                                                 const libkineto::Config&) override {
    if (types.count(libkineto::ActivityType::CONCURRENT_KERNEL) == 0) return nullptr;
    return std::make_unique<Session>();
  }
  std::unique_ptr<libkineto::IActivityProfilerSession> configure(int64_t, int64_t, const std::set<libkineto::ActivityType>& types,
                                                                 const libkineto::Config& config) override {
    return configure(types, config);
  }
};

REGISTER_PRIVATEUSE1_PROFILER(Profiler);

}  // namespace
}  // namespace oncilla::adapter
