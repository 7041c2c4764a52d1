// Apart from cl.hpp, because shared virtual memory is declared from OpenCL 2.0 on, and the rest of the plugin is held to 1.2.
#define CL_TARGET_OPENCL_VERSION 200
#include <CL/cl.h>

#include <cstdio>
#include <memory>
#include <string>

namespace oncilla::ocl {

bool probe_svm(cl_context context, cl_device_id id);

namespace {

const char* const kSource = "kernel void probe(global int *out) { out[get_global_id(0)] = (int)get_global_id(0) + 1; }";

template <class T, cl_int (*free)(T)>
struct Release {
  using pointer = T;
  void operator()(T handle) const { free(handle); }
};
template <class T, cl_int (*free)(T)>
using Handle = std::unique_ptr<T, Release<T, free>>;

// The entry points of 2.0 exist in a driver's table only if its platform says so; calling past a shorter table would crash.
bool platform_has_svm(cl_device_id id) {
  cl_platform_id platform = nullptr;
  char text[256] = "";
  int major = 0;
  if (clGetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof platform, &platform, nullptr) != CL_SUCCESS) return false;
  if (clGetPlatformInfo(platform, CL_PLATFORM_VERSION, sizeof text - 1, text, nullptr) != CL_SUCCESS) return false;
  if (std::sscanf(text, "OpenCL %d", &major) != 1 || major < 2) return false;
  cl_device_svm_capabilities can = 0;
  return clGetDeviceInfo(id, CL_DEVICE_SVM_CAPABILITIES, sizeof can, &can, nullptr) == CL_SUCCESS && can != 0;
}

}  // namespace

bool probe_svm(cl_context context, cl_device_id id) {
  if (!platform_has_svm(id)) return false;
  cl_int status = CL_SUCCESS;
  const char* source = kSource;
  const Handle<cl_program, clReleaseProgram> program(clCreateProgramWithSource(context, 1, &source, nullptr, &status));
  if (status != CL_SUCCESS || clBuildProgram(program.get(), 1, &id, "", nullptr, nullptr) != CL_SUCCESS) return false;
  const Handle<cl_kernel, clReleaseKernel> kernel(clCreateKernel(program.get(), "probe", &status));
  if (status != CL_SUCCESS) return false;
  const Handle<cl_command_queue, clReleaseCommandQueue> queue(clCreateCommandQueueWithProperties(context, id, nullptr, &status));
  if (status != CL_SUCCESS) return false;
  constexpr size_t kItems = 4;
  const auto release = [&](void* memory) { clSVMFree(context, memory); };
  const std::unique_ptr<void, decltype(release)> memory(clSVMAlloc(context, CL_MEM_READ_WRITE, kItems * sizeof(cl_int), 0),
                                                        release);
  if (!memory) return false;
  if (clSetKernelArgSVMPointer(kernel.get(), 0, memory.get()) != CL_SUCCESS) return false;
  if (clEnqueueNDRangeKernel(queue.get(), kernel.get(), 1, nullptr, &kItems, nullptr, 0, nullptr, nullptr) != CL_SUCCESS)
    return false;
  if (clEnqueueSVMMap(queue.get(), CL_TRUE, CL_MAP_READ, memory.get(), kItems * sizeof(cl_int), 0, nullptr, nullptr) != CL_SUCCESS)
    return false;
  bool right = true;
  for (size_t i = 0; i < kItems; ++i) right = right && static_cast<const cl_int*>(memory.get())[i] == static_cast<cl_int>(i) + 1;
  return clEnqueueSVMUnmap(queue.get(), memory.get(), 0, nullptr, nullptr) == CL_SUCCESS && clFinish(queue.get()) == CL_SUCCESS &&
         right;
}

}  // namespace oncilla::ocl
