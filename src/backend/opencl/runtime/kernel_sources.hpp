// The files of kernels/, as scripts/embed_kernels.py embedded them. ONCILLA_KERNELS=DIR replaces them while developing
// (programs.cpp).
#pragma once

#include <cstddef>
#include <span>

namespace oncilla::ocl {

struct KernelSource {
  const char* path;  // "softmax.cl", "lib/arg.h"
  const char* text;
  size_t bytes;
};

std::span<const KernelSource> kernel_sources();

}  // namespace oncilla::ocl
