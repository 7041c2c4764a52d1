// Files that scripts/embed_files.py embedded into the plugin.
#pragma once

#include <cstddef>
#include <span>

namespace oncilla::ocl {

struct EmbeddedFile {
  const char* path;  // "softmax.cl", "lib/arg.h"
  const char* text;  // with a zero behind it
  size_t bytes;      // without it
};

// Of kernels/. ONCILLA_KERNELS=DIR replaces them while developing (source.cpp).
std::span<const EmbeddedFile> kernel_sources();
// Of src/backend/opencl/tuning/.
std::span<const EmbeddedFile> tuning_sources();

}  // namespace oncilla::ocl
