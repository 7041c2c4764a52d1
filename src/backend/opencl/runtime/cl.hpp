// OpenCL as the rest of the plugin sees it: Khronos's C++ bindings without exceptions, and one check.
#pragma once

#define CL_TARGET_OPENCL_VERSION 120
#define CL_HPP_TARGET_OPENCL_VERSION 120
#define CL_HPP_MINIMUM_OPENCL_VERSION 120
#include <CL/opencl.hpp>

#include <string>

#include "kit/error.hpp"

namespace oncilla::ocl {

const char* status_name(cl_int status);  // "CL_OUT_OF_RESOURCES"

// kit::Error "<what>: CL_..."; allocation failures become ONC_OUT_OF_MEMORY, a lost device ONC_DEVICE_LOST.
kit::Error error_of(cl_int status, const std::string& what);

// Throws error_of() unless CL_SUCCESS. The parts of the message are joined only then.
template <class... Parts>
void check(cl_int status, const Parts&... what) {
  if (status != CL_SUCCESS) [[unlikely]]
    throw error_of(status, kit::cat(what...));
}

}  // namespace oncilla::ocl
