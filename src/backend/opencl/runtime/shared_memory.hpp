// Shared virtual memory, apart from cl.hpp because it is declared from OpenCL 2.0 on, and the rest of the plugin is held to 1.2.
#pragma once

#include <CL/cl.h>

#include <cstdint>

namespace oncilla::ocl {

// Allocates, lets a kernel write through the pointer, reads back.
bool probe_svm(cl_context context, cl_device_id id);

// Whether host and device have one memory, and the host may read and write a buffer in it without mapping it, while no command uses
// the buffer: by kernels, a fill and a copy, several times over, because what a cache holds shows at the second time.
bool probe_unified_memory(cl_context context, cl_device_id id);

// A buffer for which probe_unified_memory holds. `host`: its memory, freed with the buffer. NULL and a status where there is none
// left.
cl_mem unified_buffer(cl_context context, uint64_t bytes, char*& host, cl_int& status);

}  // namespace oncilla::ocl
