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

// Throws kit::Error "<what>: CL_..." unless CL_SUCCESS; allocation failures become ONC_OUT_OF_MEMORY, a lost device
// ONC_DEVICE_LOST.
void check(cl_int status, const std::string& what);

}  // namespace oncilla::ocl
