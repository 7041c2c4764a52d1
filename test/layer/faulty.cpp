// A broken OpenCL runtime for the tests of `oncilla doctor`: a layer over a working one (OPENCL_LAYERS=libtest_faulty_layer.so)
// that breaks the one thing that ONCILLA_TEST_FAULT names. Faults in a kernel concern those whose program holds ONCILLA_TEST_KERNEL
// ("softmax"). With a name that it does not know it does nothing and says so; "list" is such a name.
#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#define CL_USE_DEPRECATED_OPENCL_2_0_APIS
#include <CL/cl_layer.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#if defined(__GNUC__)
#define VISIBLE extern "C" __attribute__((visibility("default")))
#endif

namespace {

cl_icd_dispatch real, ours;

// What is known of programs and kernels, for faults in one kernel.
std::mutex mutex;
std::map<cl_program, std::string> sources;
struct KernelState {
  bool chosen = false;
  std::map<cl_uint, cl_mem> buffers;
  std::map<cl_uint, cl_ulong> longs;
  std::map<cl_uint, size_t> locals;  // bytes
};
std::map<cl_kernel, KernelState> kernels;

std::string variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

bool chosen_source(const std::string& source) {
  static const std::string part = variable("ONCILLA_TEST_KERNEL", "softmax");
  return source.find(part) != std::string::npos;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

cl_int text_info(const std::string& text, size_t size, void* value, size_t* size_ret) {
  if (size_ret != nullptr) *size_ret = text.size() + 1;
  if (value == nullptr) return CL_SUCCESS;
  if (size < text.size() + 1) return CL_INVALID_VALUE;
  std::memcpy(value, text.c_str(), text.size() + 1);
  return CL_SUCCESS;
}

// --- Programs and kernels: always watched

template <std::string (*change)(const std::string&)>
cl_program CL_API_CALL create_source(cl_context context, cl_uint count, const char** strings, const size_t* lengths,
                                     cl_int* status) {
  std::string source;
  for (cl_uint i = 0; i < count; ++i)
    source += lengths != nullptr && lengths[i] > 0 ? std::string(strings[i], lengths[i]) : std::string(strings[i]);
  const std::string changed = change(source);
  const char* text = changed.c_str();
  const cl_program program = real.clCreateProgramWithSource(context, 1, &text, nullptr, status);
  const std::lock_guard guard(mutex);
  sources[program] = source;
  return program;
}

std::string same(const std::string& source) { return source; }

cl_kernel CL_API_CALL create_kernel(cl_program program, const char* name, cl_int* status) {
  const cl_kernel kernel = real.clCreateKernel(program, name, status);
  const std::lock_guard guard(mutex);
  kernels[kernel] = {chosen_source(sources[program]), {}, {}, {}};
  return kernel;
}

cl_int CL_API_CALL set_argument(cl_kernel kernel, cl_uint index, size_t size, const void* value) {
  {
    const std::lock_guard guard(mutex);
    KernelState& state = kernels[kernel];
    if (value == nullptr) state.locals[index] = size;
    if (size == sizeof(cl_mem) && value != nullptr) {
      std::memcpy(&state.buffers[index], value, sizeof(cl_mem));
      std::memcpy(&state.longs[index], value, sizeof(cl_ulong));
    }
  }
  return real.clSetKernelArg(kernel, index, size, value);
}

KernelState state_of(cl_kernel kernel) {
  const std::lock_guard guard(mutex);
  return kernels[kernel];
}

#define LAUNCH_PARAMETERS                                                                                                  \
  cl_command_queue queue, cl_kernel kernel, cl_uint dims, const size_t *offset, const size_t *global, const size_t *local, \
      cl_uint n, const cl_event *wait, cl_event *event
#define LAUNCH_ARGUMENTS queue, kernel, dims, offset, global, local, n, wait, event

// --- Faults of kernels

// Flips a bit of the first float that the kernel wrote, through the first argument that is a pointer to what may be written (E:
// lib/storage.h).
cl_int CL_API_CALL launch_flipped(LAUNCH_PARAMETERS) {
  const KernelState state = state_of(kernel);
  if (!state.chosen) return real.clEnqueueNDRangeKernel(LAUNCH_ARGUMENTS);
  const cl_int status = real.clEnqueueNDRangeKernel(queue, kernel, dims, offset, global, local, n, wait, nullptr);
  for (const auto& [index, buffer] : state.buffers) {
    cl_kernel_arg_address_qualifier space = 0;
    cl_kernel_arg_type_qualifier qualifier = 0;
    char type[64] = "";
    const auto ask = [&](cl_kernel_arg_info what, size_t size, void* value) {
      return real.clGetKernelArgInfo(kernel, index, what, size, value, nullptr) == CL_SUCCESS;
    };
    if (!ask(CL_KERNEL_ARG_ADDRESS_QUALIFIER, sizeof space, &space) || space != CL_KERNEL_ARG_ADDRESS_GLOBAL) continue;
    if (!ask(CL_KERNEL_ARG_TYPE_QUALIFIER, sizeof qualifier, &qualifier) || (qualifier & CL_KERNEL_ARG_TYPE_CONST) != 0) continue;
    if (!ask(CL_KERNEL_ARG_TYPE_NAME, sizeof type, type) || (std::strcmp(type, "float*") != 0 && std::strcmp(type, "E*") != 0))
      continue;
    const auto at = state.longs.find(index + 1);  // the argument behind is the offset in elements
    const size_t place = (at != state.longs.end() ? at->second : 0) * sizeof(float);
    cl_uint word = 0;
    real.clEnqueueReadBuffer(queue, buffer, CL_TRUE, place, sizeof word, &word, 0, nullptr, nullptr);
    word ^= 1u << 22;
    real.clEnqueueWriteBuffer(queue, buffer, CL_TRUE, place, sizeof word, &word, 0, nullptr, nullptr);
    break;
  }
  if (event != nullptr) real.clEnqueueMarkerWithWaitList(queue, 0, nullptr, event);
  return status;
}

cl_int CL_API_CALL build_with_argument_info(cl_program program, cl_uint n, const cl_device_id* devices, const char* options,
                                            void(CL_CALLBACK* notify)(cl_program, void*), void* user) {
  const std::string all = std::string(options != nullptr ? options : "") + " -cl-kernel-arg-info";
  return real.clBuildProgram(program, n, devices, all.c_str(), notify, user);
}

std::string without_barriers(const std::string& source) {
  return chosen_source(source) ? replaced(source, "barrier(CLK_LOCAL_MEM_FENCE)", "(void)0") : source;
}

std::string without_any_barrier(const std::string& source) { return replaced(source, "barrier(CLK_LOCAL_MEM_FENCE)", "(void)0"); }

// The compiler takes another operation than the one in the text.
std::string miscompiled(const std::string& source) { return chosen_source(source) ? replaced(source, "exp(", "exp2(") : source; }

cl_int CL_API_CALL launch_fails(LAUNCH_PARAMETERS) {
  return state_of(kernel).chosen ? CL_OUT_OF_RESOURCES : real.clEnqueueNDRangeKernel(LAUNCH_ARGUMENTS);
}

cl_int CL_API_CALL launch_lost(LAUNCH_PARAMETERS) {
  if (!state_of(kernel).chosen) return real.clEnqueueNDRangeKernel(LAUNCH_ARGUMENTS);
  return event != nullptr ? real.clEnqueueMarkerWithWaitList(queue, n, wait, event) : CL_SUCCESS;
}

// Every fourth launch is lost.
cl_int CL_API_CALL launch_sometimes_lost(LAUNCH_PARAMETERS) {
  static std::atomic<unsigned> count{0};
  return state_of(kernel).chosen && ++count % 4 == 0 ? CL_SUCCESS : real.clEnqueueNDRangeKernel(LAUNCH_ARGUMENTS);
}

cl_int CL_API_CALL launch_crashes(LAUNCH_PARAMETERS) {
  if (state_of(kernel).chosen) std::raise(SIGSEGV);
  return real.clEnqueueNDRangeKernel(LAUNCH_ARGUMENTS);
}

cl_int CL_API_CALL launch_hangs(LAUNCH_PARAMETERS) {
  if (state_of(kernel).chosen) sleep(1000);
  return real.clEnqueueNDRangeKernel(LAUNCH_ARGUMENTS);
}

cl_int CL_API_CALL build_fails(cl_program program, cl_uint n, const cl_device_id* devices, const char* options,
                               void(CL_CALLBACK* notify)(cl_program, void*), void* user) {
  {
    const std::lock_guard guard(mutex);
    if (chosen_source(sources[program])) return CL_BUILD_PROGRAM_FAILURE;
  }
  return real.clBuildProgram(program, n, devices, options, notify, user);
}

cl_int CL_API_CALL build_hangs(cl_program program, cl_uint n, const cl_device_id* devices, const char* options,
                               void(CL_CALLBACK* notify)(cl_program, void*), void* user) {
  sleep(1000);
  return real.clBuildProgram(program, n, devices, options, notify, user);
}

cl_int CL_API_CALL build_accepts(cl_program program, cl_uint n, const cl_device_id* devices, const char* options,
                                 void(CL_CALLBACK* notify)(cl_program, void*), void* user) {
  (void)real.clBuildProgram(program, n, devices, options, notify, user);
  return CL_SUCCESS;
}

// --- Faults of programs

cl_int CL_API_CALL log_empty(cl_program program, cl_device_id device, cl_program_build_info what, size_t size, void* value,
                             size_t* size_ret) {
  if (what == CL_PROGRAM_BUILD_LOG) return text_info("", size, value, size_ret);
  return real.clGetProgramBuildInfo(program, device, what, size, value, size_ret);
}

cl_program CL_API_CALL binary_refused(cl_context, cl_uint, const cl_device_id*, const size_t*, const unsigned char**, cl_int*,
                                      cl_int* status) {
  if (status != nullptr) *status = CL_INVALID_BINARY;
  return nullptr;
}

// --- Faults of memory

cl_mem CL_API_CALL buffer_fails(cl_context context, cl_mem_flags flags, size_t size, void* host, cl_int* status) {
  if (size < (size_t{1} << 20)) return real.clCreateBuffer(context, flags, size, host, status);
  if (status != nullptr) *status = CL_MEM_OBJECT_ALLOCATION_FAILURE;
  return nullptr;
}

// A buffer over memory of the host's has a copy of its own.
cl_mem CL_API_CALL memory_apart(cl_context context, cl_mem_flags flags, size_t size, void* host, cl_int* status) {
  if ((flags & CL_MEM_USE_HOST_PTR) != 0) flags = (flags & ~cl_mem_flags{CL_MEM_USE_HOST_PTR}) | CL_MEM_COPY_HOST_PTR;
  return real.clCreateBuffer(context, flags, size, host, status);
}

// Where a copy is longer than a page, its last byte stays behind.
cl_int CL_API_CALL copy_short(cl_command_queue queue, cl_mem from, cl_mem to, size_t from_at, size_t to_at, size_t bytes, cl_uint n,
                              const cl_event* wait, cl_event* event) {
  return real.clEnqueueCopyBuffer(queue, from, to, from_at, to_at, bytes > 4096 ? bytes - 1 : bytes, n, wait, event);
}

// Writes land at a multiple of four.
cl_int CL_API_CALL write_aligned(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t at, size_t bytes, const void* from,
                                 cl_uint n, const cl_event* wait, cl_event* event) {
  return real.clEnqueueWriteBuffer(queue, buffer, blocking, at / 4 * 4, bytes, from, n, wait, event);
}

cl_int CL_API_CALL fill_first(cl_command_queue queue, cl_mem buffer, const void* pattern, size_t pattern_size, size_t at, size_t,
                              cl_uint n, const cl_event* wait, cl_event* event) {
  return real.clEnqueueFillBuffer(queue, buffer, pattern, pattern_size, at, pattern_size, n, wait, event);
}

// What is mapped are bytes of the driver's own, which nobody writes back.
void* CL_API_CALL map_stale(cl_command_queue queue, cl_mem, cl_bool, cl_map_flags, size_t, size_t bytes, cl_uint, const cl_event*,
                            cl_event* event, cl_int* status) {
  if (event != nullptr) real.clEnqueueMarkerWithWaitList(queue, 0, nullptr, event);
  if (status != nullptr) *status = CL_SUCCESS;
  return std::calloc(1, bytes);
}

cl_int CL_API_CALL unmap_stale(cl_command_queue queue, cl_mem, void* host, cl_uint, const cl_event*, cl_event* event) {
  std::free(host);
  return event != nullptr ? real.clEnqueueMarkerWithWaitList(queue, 0, nullptr, event) : CL_SUCCESS;
}

// --- Faults of order and time

cl_int CL_API_CALL wait_ignored(cl_command_queue queue, cl_uint, const cl_event*, cl_event* event) {
  return real.clEnqueueBarrierWithWaitList(queue, 0, nullptr, event);
}

cl_int CL_API_CALL times_stale(cl_event event, cl_profiling_info what, size_t size, void* value, size_t* size_ret) {
  const cl_int status = real.clGetEventProfilingInfo(event, what, size, value, size_ret);
  const cl_ulong never = 1'000'000;
  if (status == CL_SUCCESS && value != nullptr && size >= sizeof never) std::memcpy(value, &never, sizeof never);
  return status;
}

cl_command_queue CL_API_CALL queue_fails(cl_context, cl_device_id, cl_command_queue_properties, cl_int* status) {
  if (status != nullptr) *status = CL_OUT_OF_HOST_MEMORY;
  return nullptr;
}

// --- Faults of properties

template <cl_device_info property, class T, T value>
cl_int CL_API_CALL device_says(cl_device_id device, cl_device_info what, size_t size, void* to, size_t* size_ret) {
  const cl_int status = real.clGetDeviceInfo(device, what, size, to, size_ret);
  const T wrong = value;
  if (status == CL_SUCCESS && what == property && to != nullptr && size >= sizeof wrong) std::memcpy(to, &wrong, sizeof wrong);
  return status;
}

// A driver that claims more local memory than it has fails at the launch.
size_t local_memory(cl_device_id device) {
  cl_ulong bytes = 0;
  real.clGetDeviceInfo(device, CL_DEVICE_LOCAL_MEM_SIZE, sizeof bytes, &bytes, nullptr);
  return bytes;
}

cl_int CL_API_CALL launch_within_local(LAUNCH_PARAMETERS) {
  cl_device_id device = nullptr;
  size_t used = 0;
  real.clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof device, &device, nullptr);
  for (const auto& [index, bytes] : state_of(kernel).locals) used += bytes;
  return used > local_memory(device) ? CL_OUT_OF_RESOURCES : real.clEnqueueNDRangeKernel(LAUNCH_ARGUMENTS);
}

template <cl_ulong value>
cl_int CL_API_CALL group_size_says(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t size, void* to,
                                   size_t* size_ret) {
  const cl_int status = real.clGetKernelWorkGroupInfo(kernel, device, what, size, to, size_ret);
  const size_t wrong = value;
  if (status == CL_SUCCESS && what == CL_KERNEL_WORK_GROUP_SIZE && to != nullptr) std::memcpy(to, &wrong, sizeof wrong);
  return status;
}

constexpr cl_ulong kLargeGroup = 1 << 16;

cl_int CL_API_CALL groups_too_large(cl_device_id device, cl_device_info what, size_t size, void* to, size_t* size_ret) {
  const cl_int status = real.clGetDeviceInfo(device, what, size, to, size_ret);
  if (status == CL_SUCCESS && (what == CL_DEVICE_MAX_WORK_GROUP_SIZE || what == CL_DEVICE_MAX_WORK_ITEM_SIZES) && to != nullptr) {
    const size_t wrong = kLargeGroup;
    for (size_t at = 0; at + sizeof wrong <= size; at += sizeof wrong)
      std::memcpy(static_cast<char*>(to) + at, &wrong, sizeof wrong);
  }
  return status;
}

cl_int CL_API_CALL claims_half(cl_device_id device, cl_device_info what, size_t size, void* to, size_t* size_ret) {
  if (what != CL_DEVICE_EXTENSIONS) return real.clGetDeviceInfo(device, what, size, to, size_ret);
  size_t bytes = 0;
  real.clGetDeviceInfo(device, what, 0, nullptr, &bytes);
  std::string text(bytes, '\0');
  real.clGetDeviceInfo(device, what, bytes, text.data(), nullptr);
  return text_info(std::string(text.c_str()) + " cl_khr_fp16", size, to, size_ret);
}

cl_int CL_API_CALL no_device(cl_platform_id, cl_device_type, cl_uint, cl_device_id*, cl_uint* count) {
  if (count != nullptr) *count = 0;
  return CL_DEVICE_NOT_FOUND;
}

// --- Another driver's names, for the list of quirks

cl_int CL_API_CALL platform_named(cl_platform_id platform, cl_platform_info what, size_t size, void* value, size_t* size_ret) {
  if (what == CL_PLATFORM_NAME) return text_info("Oncilla test layer", size, value, size_ret);
  return real.clGetPlatformInfo(platform, what, size, value, size_ret);
}

cl_int CL_API_CALL driver_named(cl_device_id device, cl_device_info what, size_t size, void* value, size_t* size_ret) {
  if (what == CL_DRIVER_VERSION) return text_info(variable("ONCILLA_TEST_DRIVER", "2.5.1"), size, value, size_ret);
  return real.clGetDeviceInfo(device, what, size, value, size_ret);
}

struct Fault {
  const char* name;
  void (*seed)();
};

#define SEED(...) [] { __VA_ARGS__; }

const Fault kFaults[] = {
    {"none", SEED()},
    {"flip", SEED(ours.clEnqueueNDRangeKernel = launch_flipped; ours.clBuildProgram = build_with_argument_info)},
    {"barrier", SEED(ours.clCreateProgramWithSource = create_source<without_barriers>)},
    {"barriers", SEED(ours.clCreateProgramWithSource = create_source<without_any_barrier>)},
    {"miscompile", SEED(ours.clCreateProgramWithSource = create_source<miscompiled>)},
    {"launch_fails", SEED(ours.clEnqueueNDRangeKernel = launch_fails)},
    {"launch_lost", SEED(ours.clEnqueueNDRangeKernel = launch_lost)},
    {"launch_sometimes_lost", SEED(ours.clEnqueueNDRangeKernel = launch_sometimes_lost)},
    {"launch_crashes", SEED(ours.clEnqueueNDRangeKernel = launch_crashes)},
    {"launch_hangs", SEED(ours.clEnqueueNDRangeKernel = launch_hangs)},
    {"build_fails", SEED(ours.clBuildProgram = build_fails)},
    {"build_hangs", SEED(ours.clBuildProgram = build_hangs)},
    {"build_accepts", SEED(ours.clBuildProgram = build_accepts)},
    {"log_empty", SEED(ours.clGetProgramBuildInfo = log_empty)},
    {"binary_refused", SEED(ours.clCreateProgramWithBinary = binary_refused)},
    {"buffer_fails", SEED(ours.clCreateBuffer = buffer_fails)},
    {"memory_apart", SEED(ours.clCreateBuffer = memory_apart)},
    {"copy_short", SEED(ours.clEnqueueCopyBuffer = copy_short)},
    {"write_aligned", SEED(ours.clEnqueueWriteBuffer = write_aligned)},
    {"fill_first", SEED(ours.clEnqueueFillBuffer = fill_first)},
    {"map_stale", SEED(ours.clEnqueueMapBuffer = map_stale; ours.clEnqueueUnmapMemObject = unmap_stale)},
    {"wait_ignored", SEED(ours.clEnqueueBarrierWithWaitList = wait_ignored)},
    {"queue_fails", SEED(ours.clCreateCommandQueue = queue_fails)},
    {"times_stale", SEED(ours.clGetEventProfilingInfo = times_stale)},
    {"local_memory", SEED(ours.clGetDeviceInfo = (device_says<CL_DEVICE_LOCAL_MEM_SIZE, cl_ulong, (cl_ulong{1} << 24)>);
                          ours.clEnqueueNDRangeKernel = launch_within_local)},
    {"group_size", SEED(ours.clGetDeviceInfo = groups_too_large; ours.clGetKernelWorkGroupInfo = group_size_says<kLargeGroup>)},
    {"claims_half", SEED(ours.clGetDeviceInfo = claims_half)},
    {"no_device", SEED(ours.clGetDeviceIDs = no_device)},
    {"quirk", SEED(ours.clGetPlatformInfo = platform_named; ours.clGetDeviceInfo = driver_named)},
};

}  // namespace

VISIBLE cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t size, void* value, size_t* size_ret) {
  if (what == CL_LAYER_NAME) return text_info("Oncilla's faulty runtime", size, value, size_ret);
  if (what != CL_LAYER_API_VERSION) return CL_INVALID_VALUE;
  const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
  if (size_ret != nullptr) *size_ret = sizeof version;
  if (value != nullptr && size < sizeof version) return CL_INVALID_VALUE;
  if (value != nullptr) std::memcpy(value, &version, sizeof version);
  return CL_SUCCESS;
}

VISIBLE cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch* target, cl_uint* count_ret,
                                       const cl_icd_dispatch** layer) {
  constexpr size_t kEntries = sizeof(cl_icd_dispatch) / sizeof(void*);
  if (target == nullptr || layer == nullptr || count_ret == nullptr || count < kEntries) return CL_INVALID_VALUE;
  real = ours = *target;
  ours.clCreateProgramWithSource = create_source<same>;
  ours.clCreateKernel = create_kernel;
  ours.clSetKernelArg = set_argument;
  const std::string name = variable("ONCILLA_TEST_FAULT", "none");
  const auto* fault = std::find_if(std::begin(kFaults), std::end(kFaults), [&](const Fault& f) { return f.name == name; });
  if (fault != std::end(kFaults)) {
    fault->seed();
  } else {
    std::fprintf(stderr, "faulty layer: no fault called \"%s\"\n", name.c_str());
  }
  *layer = &ours;
  *count_ret = kEntries;
  return CL_SUCCESS;
}
