// Every usable OpenCL device of every platform, listed once in the process.
#pragma once

#include <string>
#include <vector>

#include "runtime/cl.hpp"

namespace oncilla::ocl {

struct Listed {
  cl::Platform platform;
  cl::Device id;
  std::string name, vendor, platform_name, driver, api;
  std::string features;  // filled when the device is first opened
  uint32_t device_class = 0, compute_units = 0;
  uint64_t memory_bytes = 0, max_alloc_bytes = 0, local_bytes = 0;
  uint32_t max_work_group = 0, base_align_bytes = 0;
};

// Throws ONC_NOT_FOUND, with a sentence that says what to install, if there is none. The list lives as long as the process.
std::vector<Listed>& listed_devices();

// ONC_CLASS_* of a device: by its type and whether it shares the host's memory.
uint32_t device_class(const cl::Device& id);

}  // namespace oncilla::ocl
