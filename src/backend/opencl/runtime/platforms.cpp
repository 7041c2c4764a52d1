#include "runtime/platforms.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "runtime/process.hpp"

namespace oncilla::ocl {

namespace {

namespace fs = std::filesystem;

// Driver strings are padded with blanks and end in NUL at some vendors.
std::string trim(std::string text) {
  const auto blank = [](unsigned char c) { return c == 0 || std::isspace(c) != 0; };
  while (!text.empty() && blank(text.back())) text.pop_back();
  size_t begin = 0;
  while (begin < text.size() && blank(text[begin])) ++begin;
  return text.substr(begin);
}

// The vendor files that the OpenCL loader reads: a folder, or one .icd file, as OCL_ICD_VENDORS or OPENCL_VENDOR_PATH say.
std::vector<fs::path> vendor_files() {
  fs::path where = "/etc/OpenCL/vendors";
  for (const char* variable : {"OPENCL_VENDOR_PATH", "OCL_ICD_VENDORS"}) {
    if (const char* value = std::getenv(variable); value != nullptr && *value != 0) where = value;
  }
  std::error_code ignored;
  if (fs::is_regular_file(where, ignored)) return {where};
  std::vector<fs::path> files;
  for (fs::directory_iterator it(where, ignored), end; !ignored && it != end; it.increment(ignored)) {
    if (it->path().extension() == ".icd") files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// One sentence for each vendor file whose library does not load. Only asked when no device was found.
std::string dangling_files() {
  std::string text;
  for (const fs::path& file : vendor_files()) {
    std::ifstream in(file);
    std::string library;
    std::getline(in, library);
    library = trim(library);
    if (library.empty()) {
      text += kit::cat(" ", file.string(), " names no library.");
    } else if (void* handle = dlopen(library.c_str(), RTLD_LAZY | RTLD_LOCAL); handle != nullptr) {
      dlclose(handle);
    } else {
      const char* reason = dlerror();
      text += kit::cat(" ", file.string(), " names ", library, ", which does not load (",
                       reason != nullptr ? reason : "no reason given", ").");
    }
  }
  return text;
}

[[noreturn]] void nothing_found(const char* what) {
  throw kit::Error(
      ONC_NOT_FOUND,
      kit::cat("[device_count] ", what,
               ": install a driver, on Debian pocl-opencl-icd for the CPU, mesa-opencl-icd or intel-opencl-icd or the vendor's own "
               "driver for a GPU.",
               dangling_files()));
}

template <class T>
T info(const cl::Device& id, cl_device_info what) {
  T value{};
  clGetDeviceInfo(id(), what, sizeof value, &value, nullptr);
  return value;
}

Listed describe(const cl::Platform& platform, const cl::Device& id) {
  Listed d;
  d.platform = platform;
  d.id = id;
  d.name = trim(id.getInfo<CL_DEVICE_NAME>());
  d.vendor = trim(id.getInfo<CL_DEVICE_VENDOR>());
  d.platform_name = trim(platform.getInfo<CL_PLATFORM_NAME>());
  d.driver = trim(id.getInfo<CL_DRIVER_VERSION>());
  d.api = trim(id.getInfo<CL_DEVICE_OPENCL_C_VERSION>());
  d.device_class = device_class(id);
  d.compute_units = std::max<cl_uint>(1, info<cl_uint>(id, CL_DEVICE_MAX_COMPUTE_UNITS));
  d.memory_bytes = info<cl_ulong>(id, CL_DEVICE_GLOBAL_MEM_SIZE);
  d.max_alloc_bytes = info<cl_ulong>(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
  d.local_bytes = info<cl_ulong>(id, CL_DEVICE_LOCAL_MEM_SIZE);
  d.max_work_group = static_cast<uint32_t>(std::max<size_t>(1, info<size_t>(id, CL_DEVICE_MAX_WORK_GROUP_SIZE)));
  d.base_align_bytes = std::max<uint32_t>(1, info<cl_uint>(id, CL_DEVICE_MEM_BASE_ADDR_ALIGN) / 8);
  return d;
}

std::vector<Listed> list() {
  std::vector<cl::Platform> platforms;
  // Loaders differ in what they return without platforms: a status, or success and none.
  if (cl::Platform::get(&platforms) != CL_SUCCESS || platforms.empty()) nothing_found("no OpenCL platform was found");
  std::vector<Listed> result;
  for (const cl::Platform& platform : platforms) {
    std::vector<cl::Device> ids;
    // A platform without devices answers CL_DEVICE_NOT_FOUND, a broken one anything: either way it adds none.
    if (platform.getDevices(CL_DEVICE_TYPE_ALL, &ids) != CL_SUCCESS) continue;
    for (const cl::Device& id : ids) {
      const bool usable = info<cl_bool>(id, CL_DEVICE_AVAILABLE) != 0 && info<cl_bool>(id, CL_DEVICE_COMPILER_AVAILABLE) != 0;
      if (usable) result.push_back(describe(platform, id));
    }
  }
  if (result.empty()) nothing_found("no OpenCL platform has a device with a compiler");
  return result;
}

}  // namespace

uint32_t device_class(const cl::Device& id) {
  const auto type = info<cl_device_type>(id, CL_DEVICE_TYPE);
  if ((type & CL_DEVICE_TYPE_CPU) != 0) return ONC_CLASS_CPU;
  if ((type & CL_DEVICE_TYPE_GPU) == 0) return ONC_CLASS_OTHER;
  return info<cl_bool>(id, CL_DEVICE_HOST_UNIFIED_MEMORY) != 0 ? ONC_CLASS_INTEGRATED : ONC_CLASS_DISCRETE;
}

std::vector<Listed>& listed_devices() {
  watch_fork();
  // Leaked on purpose: the loader may be gone when static destructors run. A failure is not kept, so that a later call tries again.
  static std::vector<Listed>* devices = new std::vector<Listed>(list());
  require_same_process("device");
  return *devices;
}

}  // namespace oncilla::ocl
