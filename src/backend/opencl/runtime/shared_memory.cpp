#define CL_TARGET_OPENCL_VERSION 200
#include "runtime/shared_memory.hpp"

#include <cstdio>
#include <memory>
#include <new>

namespace oncilla::ocl {
namespace {

const char* const kWrites = "kernel void probe(global int *out) { out[get_global_id(0)] = (int)get_global_id(0) + 1; }";
const char* const kAdds = "kernel void probe(global int *x) { x[get_global_id(0)] += 1; }";

template <class T, cl_int (*free)(T)>
struct Release {
  using pointer = T;
  void operator()(T handle) const { free(handle); }
};
template <class T, cl_int (*free)(T)>
using Handle = std::unique_ptr<T, Release<T, free>>;

// What the device says it can; 0 where the driver is older than 2.0. The entry points exist in a driver's table only if its
// platform says so; calling past a shorter table would crash.
cl_device_svm_capabilities capabilities(cl_device_id id) {
  cl_platform_id platform = nullptr;
  char text[256] = "";
  int major = 0;
  if (clGetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof platform, &platform, nullptr) != CL_SUCCESS) return 0;
  if (clGetPlatformInfo(platform, CL_PLATFORM_VERSION, sizeof text - 1, text, nullptr) != CL_SUCCESS) return 0;
  if (std::sscanf(text, "OpenCL %d", &major) != 1 || major < 2) return 0;
  cl_device_svm_capabilities can = 0;
  return clGetDeviceInfo(id, CL_DEVICE_SVM_CAPABILITIES, sizeof can, &can, nullptr) == CL_SUCCESS ? can : 0;
}

struct Block {
  cl_context context;
  void* memory;
};

void CL_CALLBACK free_block(cl_mem, void* user) {
  const std::unique_ptr<Block> block(static_cast<Block*>(user));
  clSVMFree(block->context, block->memory);
}

// The parts of a probe's program; empty where the driver does not make them.
struct Tools {
  Handle<cl_program, clReleaseProgram> program;
  Handle<cl_kernel, clReleaseKernel> kernel;
  Handle<cl_command_queue, clReleaseCommandQueue> queue;

  Tools(cl_context context, cl_device_id id, const char* source) {
    cl_int status = CL_SUCCESS;
    program.reset(clCreateProgramWithSource(context, 1, &source, nullptr, &status));
    if (status != CL_SUCCESS || clBuildProgram(program.get(), 1, &id, "", nullptr, nullptr) != CL_SUCCESS) return;
    kernel.reset(clCreateKernel(program.get(), "probe", &status));
    if (status != CL_SUCCESS) return;
    cl_command_queue made = clCreateCommandQueueWithProperties(context, id, nullptr, &status);
    if (status == CL_SUCCESS) queue.reset(made);
  }
  explicit operator bool() const { return queue != nullptr; }
};

}  // namespace

bool probe_svm(cl_context context, cl_device_id id) {
  if (capabilities(id) == 0) return false;
  const Tools tools(context, id, kWrites);
  if (!tools) return false;
  constexpr size_t kItems = 4;
  const auto release = [&](void* memory) { clSVMFree(context, memory); };
  const std::unique_ptr<void, decltype(release)> memory(clSVMAlloc(context, CL_MEM_READ_WRITE, kItems * sizeof(cl_int), 0),
                                                        release);
  if (!memory) return false;
  cl_command_queue queue = tools.queue.get();
  if (clSetKernelArgSVMPointer(tools.kernel.get(), 0, memory.get()) != CL_SUCCESS) return false;
  if (clEnqueueNDRangeKernel(queue, tools.kernel.get(), 1, nullptr, &kItems, nullptr, 0, nullptr, nullptr) != CL_SUCCESS)
    return false;
  if (clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, memory.get(), kItems * sizeof(cl_int), 0, nullptr, nullptr) != CL_SUCCESS)
    return false;
  bool right = true;
  for (size_t i = 0; i < kItems; ++i) right = right && static_cast<const cl_int*>(memory.get())[i] == static_cast<cl_int>(i) + 1;
  return clEnqueueSVMUnmap(queue, memory.get(), 0, nullptr, nullptr) == CL_SUCCESS && clFinish(queue) == CL_SUCCESS && right;
}

bool probe_unified_memory(cl_context context, cl_device_id id) {
  if ((capabilities(id) & CL_DEVICE_SVM_FINE_GRAIN_BUFFER) == 0) return false;
  // A discrete device may have fine-grained buffers, too: in the host's memory, far from it.
  cl_bool unified = CL_FALSE;
  if (clGetDeviceInfo(id, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof unified, &unified, nullptr) != CL_SUCCESS || unified == CL_FALSE)
    return false;
  const Tools tools(context, id, kAdds);
  if (!tools) return false;
  constexpr size_t kItems = 1024, kBytes = kItems * sizeof(cl_int), kHalf = kBytes / 2;
  char* host = nullptr;
  cl_int status = CL_SUCCESS;
  const Handle<cl_mem, clReleaseMemObject> mem(unified_buffer(context, kBytes, host, status));
  if (status != CL_SUCCESS) return false;
  auto* values = reinterpret_cast<volatile cl_int*>(host);
  cl_command_queue queue = tools.queue.get();
  cl_mem argument = mem.get();
  if (clSetKernelArg(tools.kernel.get(), 0, sizeof argument, &argument) != CL_SUCCESS) return false;
  const auto all = [&](size_t begin, size_t end, cl_int value) {
    for (size_t i = begin; i < end; ++i) {
      if (values[i] != value + static_cast<cl_int>(i)) return false;
    }
    return true;
  };
  for (cl_int round = 0; round < 4; ++round) {
    for (size_t i = 0; i < kItems; ++i) values[i] = 10 * round + static_cast<cl_int>(i);
    if (clEnqueueNDRangeKernel(queue, tools.kernel.get(), 1, nullptr, &kItems, nullptr, 0, nullptr, nullptr) != CL_SUCCESS ||
        clFinish(queue) != CL_SUCCESS || !all(0, kItems, 10 * round + 1))
      return false;
    if (clEnqueueCopyBuffer(queue, argument, argument, 0, kHalf, kHalf, 0, nullptr, nullptr) != CL_SUCCESS ||
        clFinish(queue) != CL_SUCCESS || !all(0, kItems / 2, 10 * round + 1) ||
        !all(kItems / 2, kItems, 10 * round + 1 - static_cast<cl_int>(kItems / 2)))
      return false;
    const cl_int seven = 7;
    if (clEnqueueFillBuffer(queue, argument, &seven, sizeof seven, 0, kBytes, 0, nullptr, nullptr) != CL_SUCCESS ||
        clFinish(queue) != CL_SUCCESS)
      return false;
    for (size_t i = 0; i < kItems; ++i) {
      if (values[i] != seven) return false;
    }
  }
  return true;
}

cl_mem unified_buffer(cl_context context, uint64_t bytes, char*& host, cl_int& status) {
  host = nullptr;
  void* memory = clSVMAlloc(context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, bytes, 0);
  status = CL_MEM_OBJECT_ALLOCATION_FAILURE;
  if (memory == nullptr) return nullptr;
  std::unique_ptr<Block> block(new (std::nothrow) Block{context, memory});
  cl_mem mem = block ? clCreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, bytes, memory, &status) : nullptr;
  // Commands that are under way keep the buffer, and so its memory.
  if (status == CL_SUCCESS) {
    status = clSetMemObjectDestructorCallback(mem, free_block, block.get());
    if (status != CL_SUCCESS) clReleaseMemObject(mem);
  }
  if (status != CL_SUCCESS) {
    clSVMFree(context, memory);
    return nullptr;
  }
  (void)block.release();
  host = static_cast<char*>(memory);
  return mem;
}

}  // namespace oncilla::ocl
