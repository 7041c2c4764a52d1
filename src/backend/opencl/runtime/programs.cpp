#include "runtime/programs.hpp"

#include "runtime/process.hpp"
#include "runtime/source.hpp"

namespace oncilla::ocl {

namespace {

bool row_keeps_binaries(const std::string& platform) {
  static const std::map<std::string, bool> rows = {
#define ROW(platform, keep) {platform, keep},
#include "runtime/program_binaries.def"
#undef ROW
  };
  const auto row = rows.find(platform);
  return row == rows.end() || row->second;
}

// One string out of parts that may hold any byte: each is preceded by its length.
template <class... Parts>
std::string join(const Parts&... parts) {
  std::string text;
  const auto add = [&](const std::string& part) { text += kit::cat(part.size(), ":", part); };
  (add(parts), ...);
  return text;
}

}  // namespace

ProgramCache::ProgramCache(cl::Context context, cl::Device id, const std::string& platform, const char* cache_dir)
    : context_(std::move(context)), id_(std::move(id)), disk_(cache_dir), binaries_(row_keeps_binaries(platform)) {
  identity_ = join(platform, id_.getInfo<CL_DEVICE_NAME>(), id_.getInfo<CL_DEVICE_VENDOR>(), id_.getInfo<CL_DEVICE_VERSION>(),
                   id_.getInfo<CL_DRIVER_VERSION>());
  // 1.2 is the floor that every kernel is written to. Where the device can, division and square root round correctly, as they do in
  // C.
  options_ = "-cl-std=CL1.2";
  const cl_device_fp_config single = id_.getInfo<CL_DEVICE_SINGLE_FP_CONFIG>();
  if ((single & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0) options_ += " -cl-fp32-correctly-rounded-divide-sqrt";
  if ((single & CL_FP_FMA) != 0) options_ += " -DHAS_FMA";  // lib/multiply_add.h
  warnings_ = disk_.warning();
}

Digest ProgramCache::key(const std::string& text) const { return sha256(join(identity_, options_, text)); }

void ProgramCache::store(const Digest& key, const std::string& payload) {
  const std::string problem = disk_.store(key, payload);
  if (problem.empty()) return;
  const std::lock_guard guard(mutex_);
  warnings_ += (warnings_.empty() ? "" : "\n") + problem;
}

std::string ProgramCache::warnings() const {
  const std::lock_guard guard(mutex_);
  return warnings_;
}

std::optional<std::string> ProgramCache::recall(const std::string& name) {
  bool damaged = false;
  auto value = disk_.load(key("value " + name), &damaged);
  if (damaged) ++rejected;
  return value;
}

void ProgramCache::remember(const std::string& name, const std::string& value) { store(key("value " + name), value); }

cl::Program ProgramCache::get(const std::string& file, const std::string& definitions, const std::string& prelude) {
  const std::string source = kit::cat("#ifdef cl_khr_fp64\n#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n#endif\n", definitions,
                                      assemble_source(prelude, file));
  const Digest digest = key(source);
  std::promise<cl::Program> promise;
  std::shared_future<cl::Program> result;
  bool ours = false;
  {
    const std::lock_guard guard(mutex_);
    auto& entry = programs_[digest];
    if (!entry.valid()) {
      entry = promise.get_future().share();
      ours = true;
    }
    result = entry;
  }
  if (ours) {
    try {
      promise.set_value(make(file, source));
    } catch (...) {
      // A failure is told to those who waited, and tried again by who comes later.
      promise.set_exception(std::current_exception());
      const std::lock_guard guard(mutex_);
      programs_.erase(digest);
    }
  }
  return result.get();
}

cl::Program ProgramCache::make(const std::string& name, const std::string& source) {
  const Digest digest = key(source);
  if (binaries_) {
    if (cl::Program program = from_binary(digest); program() != nullptr) return program;
  }
  cl::Program program = compile(name, source, options_);
  ++built;
  if (binaries_) keep_binary(digest, program);
  return program;
}

cl::Program ProgramCache::compile(const std::string& name, const std::string& source, const std::string& options) const {
  cl_int status = CL_SUCCESS;
  cl::Program program(context_, source, false, &status);
  check(status, kit::cat("[program] ", name));
  status = program.build(id_, options.c_str());
  if (status != CL_SUCCESS) {
    std::string log;
    program.getBuildInfo(id_, CL_PROGRAM_BUILD_LOG, &log);
    throw kit::Error(ONC_BUILD_FAILURE,
                     kit::cat("[program] ", name, " does not compile: ", status_name(status), "\n", log.c_str()));
  }
  return program;
}

cl::Program ProgramCache::from_binary(const Digest& digest) {
  bool damaged = false;
  const auto binary = disk_.load(digest, &damaged);
  if (!binary) {
    if (damaged) ++rejected;
    return {};
  }
  cl_int status = CL_SUCCESS, loaded = CL_SUCCESS;
  const auto* bytes = reinterpret_cast<const unsigned char*>(binary->data());
  const size_t size = binary->size();
  const cl_device_id id = id_();
  cl::Program program(clCreateProgramWithBinary(context_(), 1, &id, &size, &bytes, &loaded, &status), false);
  if (status == CL_SUCCESS) status = loaded;
  if (status == CL_SUCCESS) status = program.build(id_, options_.c_str());
  if (status != CL_SUCCESS) {
    // A driver refuses the binary of its former version even where its strings did not change.
    ++rejected;
    return {};
  }
  ++cached;
  return program;
}

void ProgramCache::keep_binary(const Digest& digest, const cl::Program& program) {
  // The program has one device, so one size and one pointer.
  size_t bytes = 0;
  if (clGetProgramInfo(program(), CL_PROGRAM_BINARY_SIZES, sizeof bytes, &bytes, nullptr) != CL_SUCCESS || bytes == 0) return;
  std::string binary(bytes, '\0');
  char* at = binary.data();
  if (clGetProgramInfo(program(), CL_PROGRAM_BINARIES, sizeof at, &at, nullptr) == CL_SUCCESS) store(digest, binary);
}

}  // namespace oncilla::ocl
