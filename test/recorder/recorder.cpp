// An OpenCL implementation without a device: it says what ONCILLA_RECORDER_DEVICE tells it to be, compiles and computes nothing,
// and keeps every program and launch. scripts/compile-matrix gives the programs to the compilers of devices that are not there:
// what it gets is what the plugin itself makes for such a device, tuning rows, limits and all. Only what the plugin and CLBlast
// call is here; any other entry point ends the process and names itself.
//
//   ONCILLA_RECORDER_DEVICE  "NAME=value ..." (describe() lists the names)
//   ONCILLA_RECORDER_FOLDER  programs go to <digest>.cl with their options in <digest>.options, and to `log` lines of JSON, in
//   order:
//                            {"kernel", "program"} for each kernel made, {"launch", "program", "group", "local",
//                            "arguments"} for each launch: work-items of a group, bytes of local memory that arguments ask for, and
//                            bytes of all arguments
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_0_APIS
#define CL_USE_DEPRECATED_OPENCL_1_1_APIS
#include <CL/cl.h>
#include <CL/cl_ext.h>
#include <CL/cl_icd.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

namespace {

extern cl_icd_dispatch g_dispatch;

// The loader finds our functions by the first member of every object.
struct Object {
  const cl_icd_dispatch* dispatch = &g_dispatch;
  cl_uint count = 1;
};

}  // namespace

struct _cl_platform_id : Object {};
struct _cl_device_id : Object {};
struct _cl_context : Object {};
struct _cl_command_queue : Object {};
struct _cl_event : Object {};
struct _cl_mem : Object {
  std::vector<unsigned char> bytes;
};
struct _cl_program : Object {
  std::string source, digest;
};
struct _cl_kernel : Object {
  cl_program program = nullptr;
  std::string name;
  std::map<cl_uint, size_t> bytes, local;  // by argument; local: of local memory
  cl_mem first = nullptr;                  // argument 0, for probes
};

namespace {

_cl_platform_id g_platform;
_cl_device_id g_device;
std::mutex g_mutex;

// The device's properties, by name.
const std::map<std::string, std::string>& description() {
  static const std::map<std::string, std::string> all = [] {
    std::map<std::string, std::string> values;
    const char* text = std::getenv("ONCILLA_RECORDER_DEVICE");
    std::istringstream words(text != nullptr ? text : "");
    for (std::string word; words >> word;) {
      const size_t equals = word.find('=');
      if (equals != std::string::npos) values[word.substr(0, equals)] = word.substr(equals + 1);
    }
    return values;
  }();
  return all;
}

std::string text_of(const std::string& name, const std::string& otherwise) {
  const auto found = description().find(name);
  return found == description().end() ? otherwise : found->second;
}

uint64_t number_of(const std::string& name, uint64_t otherwise) {
  const auto found = description().find(name);
  return found == description().end() ? otherwise : std::strtoull(found->second.c_str(), nullptr, 10);
}

std::string folder() {
  const char* value = std::getenv("ONCILLA_RECORDER_FOLDER");
  return value != nullptr && *value != 0 ? value : ".";
}

// One write a line: whoever else appends to the log, as the runner of the case tables does, keeps the order.
void log_line(const std::string& line) {
  static const int file = open((folder() + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const std::string text = line + "\n";
  if (file < 0 || write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    std::fprintf(stderr, "recorder: %s/log cannot be written\n", folder().c_str());
    std::abort();
  }
}

// FNV-1a in two halves: names files, nothing else.
std::string digest_of(const std::string& text) {
  uint64_t a = 0xcbf29ce484222325u, b = 0x84222325cbf29ce4u;
  for (const char c : text) {
    a = (a ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    b = (b ^ static_cast<unsigned char>(c)) * 0x100000001b3u + 0x9e3779b97f4a7c15u;
  }
  std::array<char, 33> name;
  std::snprintf(name.data(), name.size(), "%016llx%016llx", static_cast<unsigned long long>(a), static_cast<unsigned long long>(b));
  return name.data();
}

cl_int give(const void* value, size_t bytes, size_t room, void* to, size_t* size) {
  if (size != nullptr) *size = bytes;
  if (to == nullptr) return CL_SUCCESS;
  if (room < bytes) return CL_INVALID_VALUE;
  if (bytes != 0) std::memcpy(to, value, bytes);
  return CL_SUCCESS;
}

template <class T>
cl_int give(const T& value, size_t room, void* to, size_t* size) {
  return give(&value, sizeof value, room, to, size);
}

cl_int give(const std::string& text, size_t room, void* to, size_t* size) {
  return give(text.c_str(), text.size() + 1, room, to, size);
}

template <class Handle>
cl_int retain(Handle object) {
  const std::lock_guard guard(g_mutex);
  ++object->count;
  return CL_SUCCESS;
}

template <class Handle>
cl_int release(Handle object) {
  bool last = false;
  {
    const std::lock_guard guard(g_mutex);
    last = --object->count == 0;
  }
  if (last) delete object;
  return CL_SUCCESS;
}

template <class Handle>
Handle made(Handle object, cl_int* status) {
  if (status != nullptr) *status = CL_SUCCESS;
  return object;
}

cl_int done(cl_event* event) {
  if (event != nullptr) *event = new _cl_event;
  return CL_SUCCESS;
}

cl_int platform_ids(cl_uint room, cl_platform_id* to, cl_uint* count) {
  if (count != nullptr) *count = 1;
  if (to != nullptr && room > 0) *to = &g_platform;
  return CL_SUCCESS;
}

cl_int platform_info(cl_platform_id, cl_platform_info what, size_t room, void* to, size_t* size) {
  switch (what) {
    case CL_PLATFORM_VERSION:
      return give(std::string("OpenCL 1.2"), room, to, size);
    case CL_PLATFORM_PROFILE:
      return give(std::string("FULL_PROFILE"), room, to, size);
    case CL_PLATFORM_EXTENSIONS:
      return give(std::string("cl_khr_icd"), room, to, size);
    default:
      return give(std::string("recorder"), room, to, size);
  }
}

cl_int device_ids(cl_platform_id, cl_device_type type, cl_uint room, cl_device_id* to, cl_uint* count) {
  const bool wanted = (type & (CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_DEFAULT)) != 0;
  if (count != nullptr) *count = wanted ? 1 : 0;
  if (wanted && to != nullptr && room > 0) *to = &g_device;
  return wanted ? CL_SUCCESS : CL_DEVICE_NOT_FOUND;
}

// What a device is asked, and the names that ONCILLA_RECORDER_DEVICE may set.
cl_int describe(cl_device_id, cl_device_info what, size_t room, void* to, size_t* size) {
  const bool fp64 = number_of("fp64", 1) != 0;
  const cl_device_fp_config single = CL_FP_INF_NAN | CL_FP_ROUND_TO_NEAREST | (number_of("fma", 1) != 0 ? CL_FP_FMA : 0) |
                                     (number_of("correct_division", 1) != 0 ? CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT : 0);
  const size_t group = number_of("group", 256);
  switch (what) {
    case CL_DEVICE_TYPE:
      return give<cl_device_type>(CL_DEVICE_TYPE_GPU, room, to, size);
    case CL_DEVICE_PLATFORM:
      return give<cl_platform_id>(&g_platform, room, to, size);
    case CL_DEVICE_NAME:
    case CL_DEVICE_VENDOR:
      return give(text_of("name", "recorder"), room, to, size);
    case CL_DEVICE_VERSION:
      return give(std::string("OpenCL 1.2"), room, to, size);
    case CL_DEVICE_OPENCL_C_VERSION:
      return give(std::string("OpenCL C 1.2"), room, to, size);
    case CL_DRIVER_VERSION:
      return give(std::string("1"), room, to, size);
    case CL_DEVICE_EXTENSIONS:
      return give(std::string(fp64 ? "cl_khr_fp64" : ""), room, to, size);
    case CL_DEVICE_AVAILABLE:
    case CL_DEVICE_COMPILER_AVAILABLE:
    case CL_DEVICE_ENDIAN_LITTLE:
      return give<cl_bool>(CL_TRUE, room, to, size);
    case CL_DEVICE_HOST_UNIFIED_MEMORY:
      return give<cl_bool>(number_of("unified", 0) != 0 ? CL_TRUE : CL_FALSE, room, to, size);
    case CL_DEVICE_MAX_COMPUTE_UNITS:
      return give<cl_uint>(static_cast<cl_uint>(number_of("units", 16)), room, to, size);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
      return give<size_t>(group, room, to, size);
    case CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS:
      return give<cl_uint>(3, room, to, size);
    case CL_DEVICE_MAX_WORK_ITEM_SIZES:
      return give(std::array<size_t, 3>{group, group, group}, room, to, size);
    case CL_DEVICE_LOCAL_MEM_SIZE:
      return give<cl_ulong>(number_of("local", 32768), room, to, size);
    case CL_DEVICE_LOCAL_MEM_TYPE:
      return give<cl_device_local_mem_type>(CL_LOCAL, room, to, size);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
      return give<cl_ulong>(cl_ulong{8} << 30, room, to, size);
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
      return give<cl_ulong>(cl_ulong{4} << 30, room, to, size);
    case CL_DEVICE_MEM_BASE_ADDR_ALIGN:
      return give<cl_uint>(1024, room, to, size);
    case CL_DEVICE_ADDRESS_BITS:
      return give<cl_uint>(64, room, to, size);
    case CL_DEVICE_MAX_CLOCK_FREQUENCY:
      return give<cl_uint>(1000, room, to, size);
    case CL_DEVICE_MAX_PARAMETER_SIZE:
      return give<size_t>(number_of("arguments", 1024), room, to, size);  // what OpenCL promises
    case CL_DEVICE_SINGLE_FP_CONFIG:
      return give<cl_device_fp_config>(single, room, to, size);
    case CL_DEVICE_DOUBLE_FP_CONFIG:
      return give<cl_device_fp_config>(fp64 ? single : 0, room, to, size);
    default:
      return give<cl_ulong>(0, room, to, size);
  }
}

cl_context create_context(const cl_context_properties*, cl_uint, const cl_device_id*,
                          void(CL_CALLBACK*)(const char*, const void*, size_t, void*), void*, cl_int* status) {
  return made(new _cl_context, status);
}

cl_int context_info(cl_context, cl_context_info what, size_t room, void* to, size_t* size) {
  if (what == CL_CONTEXT_NUM_DEVICES) return give<cl_uint>(1, room, to, size);
  if (what == CL_CONTEXT_DEVICES) return give<cl_device_id>(&g_device, room, to, size);
  return give<cl_ulong>(0, room, to, size);
}

// Plans ask for the context and the device of a queue, and nobody here has two of either.
cl_context g_queue_context = nullptr;

cl_command_queue create_queue(cl_context context, cl_device_id, cl_command_queue_properties, cl_int* status) {
  g_queue_context = context;
  return made(new _cl_command_queue, status);
}

cl_int queue_info(cl_command_queue, cl_command_queue_info what, size_t room, void* to, size_t* size) {
  if (what == CL_QUEUE_CONTEXT) return give<cl_context>(g_queue_context, room, to, size);
  if (what == CL_QUEUE_DEVICE) return give<cl_device_id>(&g_device, room, to, size);
  return give<cl_ulong>(0, room, to, size);
}

cl_mem create_buffer(cl_context, cl_mem_flags flags, size_t bytes, void* host, cl_int* status) {
  auto* buffer = new _cl_mem;
  buffer->bytes.resize(bytes);
  if ((flags & (CL_MEM_COPY_HOST_PTR | CL_MEM_USE_HOST_PTR)) != 0) std::memcpy(buffer->bytes.data(), host, bytes);
  return made(buffer, status);
}

cl_int mem_info(cl_mem buffer, cl_mem_info what, size_t room, void* to, size_t* size) {
  if (what == CL_MEM_SIZE) return give<size_t>(buffer->bytes.size(), room, to, size);
  return give<cl_ulong>(0, room, to, size);
}

cl_program create_program(cl_context, cl_uint count, const char** texts, const size_t* lengths, cl_int* status) {
  auto* program = new _cl_program;
  for (cl_uint i = 0; i < count; ++i) {
    const bool counted = lengths != nullptr && lengths[i] != 0;
    program->source += counted ? std::string(texts[i], lengths[i]) : std::string(texts[i]);
  }
  return made(program, status);
}

// A digest of source and options names the program. Probes for what OpenCL C 2.0 brings fail, as they do on a device of 1.2.
cl_int build_program(cl_program program, cl_uint, const cl_device_id*, const char* options, void(CL_CALLBACK*)(cl_program, void*),
                     void*) {
  const std::string flags = options != nullptr ? options : "";
  if (flags.find("CL2.0") != std::string::npos) return CL_BUILD_PROGRAM_FAILURE;
  program->digest = digest_of(flags + "\n" + program->source);
  const std::string stem = folder() + "/" + program->digest;
  std::ofstream(stem + ".options") << flags;
  return std::ofstream(stem + ".cl") << program->source ? CL_SUCCESS : CL_OUT_OF_RESOURCES;
}

cl_int program_info(cl_program, cl_program_info what, size_t room, void* to, size_t* size) {
  if (what == CL_PROGRAM_NUM_DEVICES) return give<cl_uint>(1, room, to, size);
  if (what == CL_PROGRAM_BINARY_SIZES) return give<size_t>(0, room, to, size);
  return give<cl_ulong>(0, room, to, size);
}

cl_int build_info(cl_program, cl_device_id, cl_program_build_info what, size_t room, void* to, size_t* size) {
  if (what == CL_PROGRAM_BUILD_STATUS) return give<cl_build_status>(CL_BUILD_SUCCESS, room, to, size);
  return give(std::string(), room, to, size);
}

cl_kernel create_kernel(cl_program program, const char* name, cl_int* status) {
  auto* kernel = new _cl_kernel;
  retain(program);
  kernel->program = program;
  kernel->name = name;
  log_line("{\"kernel\": \"" + kernel->name + "\", \"program\": \"" + program->digest + "\"}");
  return made(kernel, status);
}

cl_int release_kernel(cl_kernel kernel) {
  bool last = false;
  {
    const std::lock_guard guard(g_mutex);
    last = --kernel->count == 0;
  }
  if (!last) return CL_SUCCESS;
  release(kernel->program);
  delete kernel;
  return CL_SUCCESS;
}

cl_int set_argument(cl_kernel kernel, cl_uint index, size_t bytes, const void* value) {
  kernel->bytes[index] = value == nullptr ? sizeof(cl_mem) : bytes;
  if (value == nullptr) {
    kernel->local[index] = bytes;
  } else if (index == 0 && bytes == sizeof kernel->first) {
    std::memcpy(&kernel->first, value, bytes);
  }
  return CL_SUCCESS;
}

cl_int group_info(cl_kernel, cl_device_id, cl_kernel_work_group_info what, size_t room, void* to, size_t* size) {
  if (what == CL_KERNEL_WORK_GROUP_SIZE) return give<size_t>(number_of("group", 256), room, to, size);
  return give<cl_ulong>(0, room, to, size);
}

cl_int launch(cl_command_queue, cl_kernel kernel, cl_uint dims, const size_t*, const size_t*, const size_t* group, cl_uint,
              const cl_event*, cl_event* event) {
  if (kernel->name == "probe") {  // runtime/probe.cpp expects 1 2 3 4
    for (cl_int i = 0; i < 4; ++i) {
      const cl_int value = i + 1;
      std::memcpy(kernel->first->bytes.data() + static_cast<size_t>(i) * sizeof value, &value, sizeof value);
    }
    return done(event);
  }
  size_t items = group != nullptr ? 1 : 0, local = 0, arguments = 0;
  for (cl_uint d = 0; d < dims && group != nullptr; ++d) items *= group[d];
  for (const auto& [index, bytes] : kernel->local) local += bytes;
  for (const auto& [index, bytes] : kernel->bytes) arguments += bytes;
  log_line("{\"launch\": \"" + kernel->name + "\", \"program\": \"" + kernel->program->digest + "\", \"group\": " +
           std::to_string(items) + ", \"local\": " + std::to_string(local) + ", \"arguments\": " + std::to_string(arguments) + "}");
  return done(event);
}

cl_int read_buffer(cl_command_queue, cl_mem buffer, cl_bool, size_t offset, size_t bytes, void* to, cl_uint, const cl_event*,
                   cl_event* event) {
  std::memcpy(to, buffer->bytes.data() + offset, bytes);
  return done(event);
}

cl_int write_buffer(cl_command_queue, cl_mem buffer, cl_bool, size_t offset, size_t bytes, const void* from, cl_uint,
                    const cl_event*, cl_event* event) {
  std::memcpy(buffer->bytes.data() + offset, from, bytes);
  return done(event);
}

cl_int copy_buffer(cl_command_queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset, size_t bytes, cl_uint,
                   const cl_event*, cl_event* event) {
  std::memmove(to->bytes.data() + to_offset, from->bytes.data() + from_offset, bytes);
  return done(event);
}

cl_int fill_buffer(cl_command_queue, cl_mem buffer, const void* pattern, size_t pattern_bytes, size_t offset, size_t bytes, cl_uint,
                   const cl_event*, cl_event* event) {
  for (size_t i = 0; i < bytes; i += pattern_bytes) std::memcpy(buffer->bytes.data() + offset + i, pattern, pattern_bytes);
  return done(event);
}

void* map_buffer(cl_command_queue, cl_mem buffer, cl_bool, cl_map_flags, size_t offset, size_t, cl_uint, const cl_event*,
                 cl_event* event, cl_int* status) {
  done(event);
  if (status != nullptr) *status = CL_SUCCESS;
  return buffer->bytes.data() + offset;
}

cl_int unmap_buffer(cl_command_queue, cl_mem, void*, cl_uint, const cl_event*, cl_event* event) { return done(event); }

cl_int marker(cl_command_queue, cl_uint, const cl_event*, cl_event* event) { return done(event); }

cl_int event_info(cl_event, cl_event_info what, size_t room, void* to, size_t* size) {
  if (what == CL_EVENT_COMMAND_EXECUTION_STATUS) return give<cl_int>(CL_COMPLETE, room, to, size);
  return give<cl_ulong>(0, room, to, size);
}

cl_int event_times(cl_event, cl_profiling_info, size_t room, void* to, size_t* size) { return give<cl_ulong>(0, room, to, size); }

cl_int event_callback(cl_event event, cl_int, void(CL_CALLBACK* call)(cl_event, cl_int, void*), void* data) {
  call(event, CL_COMPLETE, data);
  return CL_SUCCESS;
}

void* extension(const char* name);

[[noreturn]] void absent() {
  std::fputs("recorder: an OpenCL function was called that this implementation does not have\n", stderr);
  std::abort();
}

cl_icd_dispatch make_dispatch() {
  cl_icd_dispatch table;
  // All entries are pointers to functions.
  std::array<void (*)(), sizeof table / sizeof(void (*)())> entries;
  entries.fill(absent);
  std::memcpy(&table, entries.data(), sizeof table);
  table.clGetPlatformIDs = platform_ids;
  table.clGetPlatformInfo = platform_info;
  table.clGetDeviceIDs = device_ids;
  table.clGetDeviceInfo = describe;
  table.clRetainDevice = [](cl_device_id) -> cl_int { return CL_SUCCESS; };
  table.clReleaseDevice = [](cl_device_id) -> cl_int { return CL_SUCCESS; };
  table.clCreateContext = create_context;
  table.clRetainContext = retain<cl_context>;
  table.clReleaseContext = release<cl_context>;
  table.clGetContextInfo = context_info;
  table.clCreateCommandQueue = create_queue;
  table.clRetainCommandQueue = retain<cl_command_queue>;
  table.clReleaseCommandQueue = release<cl_command_queue>;
  table.clGetCommandQueueInfo = queue_info;
  table.clCreateBuffer = create_buffer;
  table.clRetainMemObject = retain<cl_mem>;
  table.clReleaseMemObject = release<cl_mem>;
  table.clGetMemObjectInfo = mem_info;
  table.clCreateProgramWithSource = create_program;
  table.clRetainProgram = retain<cl_program>;
  table.clReleaseProgram = release<cl_program>;
  table.clBuildProgram = build_program;
  table.clGetProgramInfo = program_info;
  table.clGetProgramBuildInfo = build_info;
  table.clCreateKernel = create_kernel;
  table.clRetainKernel = retain<cl_kernel>;
  table.clReleaseKernel = release_kernel;
  table.clSetKernelArg = set_argument;
  table.clGetKernelWorkGroupInfo = group_info;
  table.clEnqueueNDRangeKernel = launch;
  table.clEnqueueReadBuffer = read_buffer;
  table.clEnqueueWriteBuffer = write_buffer;
  table.clEnqueueCopyBuffer = copy_buffer;
  table.clEnqueueFillBuffer = fill_buffer;
  table.clEnqueueMapBuffer = map_buffer;
  table.clEnqueueUnmapMemObject = unmap_buffer;
  table.clEnqueueMarkerWithWaitList = marker;
  table.clEnqueueBarrierWithWaitList = marker;
  table.clFlush = [](cl_command_queue) -> cl_int { return CL_SUCCESS; };
  table.clFinish = [](cl_command_queue) -> cl_int { return CL_SUCCESS; };
  table.clWaitForEvents = [](cl_uint, const cl_event*) -> cl_int { return CL_SUCCESS; };
  table.clGetEventInfo = event_info;
  table.clRetainEvent = retain<cl_event>;
  table.clReleaseEvent = release<cl_event>;
  table.clGetEventProfilingInfo = event_times;
  table.clSetEventCallback = event_callback;
  table.clGetExtensionFunctionAddress = extension;
  table.clGetExtensionFunctionAddressForPlatform = [](cl_platform_id, const char* name) { return extension(name); };
  return table;
}

cl_icd_dispatch g_dispatch = make_dispatch();

// Debian's loader asks for both before it has a table.
void* extension(const char* name) {
  if (std::strcmp(name, "clIcdGetPlatformIDsKHR") == 0) return reinterpret_cast<void*>(platform_ids);
  return std::strcmp(name, "clGetPlatformInfo") == 0 ? reinterpret_cast<void*>(platform_info) : nullptr;
}

}  // namespace

// The two symbols that the loader looks up.
extern "C" __attribute__((visibility("default"))) cl_int clIcdGetPlatformIDsKHR(cl_uint room, cl_platform_id* to, cl_uint* count) {
  return platform_ids(room, to, count);
}

extern "C" __attribute__((visibility("default"))) void* clGetExtensionFunctionAddress(const char* name) { return extension(name); }
