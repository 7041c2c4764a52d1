#include "runtime/device.hpp"

#include <algorithm>

#include "runtime/launches.hpp"
#include "runtime/platforms.hpp"
#include "runtime/probe.hpp"
#include "runtime/process.hpp"
#include "runtime/programs.hpp"
#include "runtime/quirks.hpp"
#include "runtime/shared_memory.hpp"
#include "runtime/tuning.hpp"

namespace oncilla::ocl {
namespace {

const char* class_name(uint32_t device_class) {
  switch (device_class) {
    case ONC_CLASS_CPU:
      return "cpu";
    case ONC_CLASS_INTEGRATED:
      return "integrated";
    case ONC_CLASS_DISCRETE:
      return "discrete";
    default:
      return "other";
  }
}

}  // namespace

std::string Defines::str() const {
  std::string text;
  for (const auto& [name, value] : values_) text += kit::cat("#define ", name, " ", value, "\n");
  return text;
}

Buffer::Buffer(cl::Buffer mem, uint64_t bytes, char* host, Device& device)
    : mem_(std::move(mem)), bytes_(bytes), host_(host), device_(device) {
  device_.buffer_bytes += bytes_;
  ++device_.buffers;
}

Buffer::~Buffer() {
  device_.buffer_bytes -= bytes_;
  --device_.buffers;
  if (forked()) {
    mem_() = nullptr;  // the driver's locks are in an unknown state: better to leak than to hang
  } else {
    device_.forget_handles();
  }
}

Device::Device(cl::Platform platform, cl::Device id, const onc_device_options& options)
    : platform_(std::move(platform)), id_(std::move(id)), class_(ocl::device_class(id_)) {
  require_same_process("device_open");
  cl_int status = CL_SUCCESS;
  context_ = cl::Context(id_, nullptr, nullptr, nullptr, &status);
  check(status, "[device_open] context");
  compute_units_ = std::max<uint32_t>(1, id_.getInfo<CL_DEVICE_MAX_COMPUTE_UNITS>());
  max_work_group_ = std::max<size_t>(1, id_.getInfo<CL_DEVICE_MAX_WORK_GROUP_SIZE>());
  local_bytes_ = id_.getInfo<CL_DEVICE_LOCAL_MEM_SIZE>();
  max_alloc_bytes_ = id_.getInfo<CL_DEVICE_MAX_MEM_ALLOC_SIZE>();
  name_ = id_.getInfo<CL_DEVICE_NAME>().c_str();
  programs_ = std::make_unique<ProgramCache>(context_, id_, platform_.getInfo<CL_PLATFORM_NAME>().c_str(), options.cache_dir);
  tuning_ = std::make_unique<TuningRows>(
      DeviceIdentity{class_name(class_), platform_.getInfo<CL_PLATFORM_NAME>().c_str(), id_.getInfo<CL_DEVICE_VENDOR>().c_str(),
                     name_, id_.getInfo<CL_DRIVER_VERSION>().c_str()},
      tuning_file(options.tuning_file));
  probed_ = probe_features(context_, id_, *programs_);
  features_ = probed_;
  for (const Quirk* quirk : quirks_of(platform_, id_)) {
    if (bool* feature = features_.find(quirk->feature)) *feature = false;
  }
  for (const std::string& name : features_off()) *features_.find(name) = false;
  features_.unified_memory = features_.unified_memory && features_.svm;
}

Device::~Device() {
  if (!forked()) return;
  (void)programs_.release();
  context_() = nullptr;
}

void Device::forget_handles() {
  ++handles_forgotten_;
  const std::lock_guard guard(lists_mutex_);
  for (LaunchList* list : lists_) list->submit();
}

void Device::add(LaunchList& list) {
  const std::lock_guard guard(lists_mutex_);
  lists_.push_back(&list);
}

void Device::remove(LaunchList& list) {
  const std::lock_guard guard(lists_mutex_);
  std::erase(lists_, &list);
}

void Device::stats(onc_device_stats& stats) {
  stats.buffer_bytes = buffer_bytes;
  stats.buffers = buffers;
  stats.programs_built = programs_->built;
  stats.programs_cached = programs_->cached;
  stats.cache_rejected = programs_->rejected;
  stats.launches = launches;
  // The text may grow while a caller still reads the last one: every text given out is kept.
  const std::lock_guard guard(warnings_mutex_);
  if (std::string now = tuning_->warnings() + programs_->warnings(); warnings_.empty() || warnings_.back() != now)
    warnings_.push_back(std::move(now));
  stats.warnings = warnings_.back().c_str();
}

std::unique_ptr<onc_buffer> Device::alloc(uint64_t bytes) {
  require_same_process("buffer_alloc");
  kit::require(bytes > 0, "[buffer_alloc] 0 bytes asked for");
  if (bytes > max_alloc_bytes_) {
    throw kit::Error(ONC_OUT_OF_MEMORY, kit::cat("[buffer_alloc] ", bytes, " bytes asked for, above the device's limit of ",
                                                 max_alloc_bytes_, " for one buffer"));
  }
  cl_int status = CL_SUCCESS;
  char* host = nullptr;
  cl::Buffer mem(features_.unified_memory ? unified_buffer(context_(), bytes, host, status)
                                          : clCreateBuffer(context_(), CL_MEM_READ_WRITE, bytes, nullptr, &status));
  if (status == CL_OUT_OF_RESOURCES) status = CL_MEM_OBJECT_ALLOCATION_FAILURE;
  check(status, kit::cat("[buffer_alloc] ", bytes, " bytes"));
  return std::make_unique<Buffer>(std::move(mem), bytes, host, *this);
}

std::unique_ptr<onc_queue> Device::create_queue(uint32_t flags) {
  require_same_process("queue_create");
  return std::make_unique<Queue>(*this, flags);
}

Kernel Device::kernel(const std::string& file, const std::string& entry, const Defines& defines, const std::string& prelude) {
  require_same_process("plan_create");
  const cl::Program program = programs_->get(file, defines.str(), prelude);
  cl_int status = CL_SUCCESS;
  cl::Kernel kernel(program, entry.c_str(), &status);
  check(status, kit::cat("[program] kernel ", entry, " of ", file));
  return {*this, std::move(kernel), entry};
}

}  // namespace oncilla::ocl
