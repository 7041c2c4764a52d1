// How elements lie in memory, how kernels compute with them, and how wide they count: the definitions that kernels/lib/storage.h
// and lib/index.h read.
#pragma once

#include <cstdint>

#include "kit/desc.hpp"
#include "runtime/device.hpp"

namespace oncilla::ocl {

// "float" or "double".
const char* arithmetic_type(uint32_t dtype);

// The type in which kernels compute with elements of a dtype: float for halves, int for integers up to 32 bits and for bool.
const char* compute_type(uint32_t dtype);

// The unsigned integer of so many bytes, for what is only moved.
const char* bits_type(size_t bytes);

// Defines what lib/storage.h reads: T, and how elements of `dtype` lie in memory. For dtypes that it does not cover, as int8,
// STORAGE is the storage type.
void set_storage(Defines& defines, uint32_t dtype);

// Whether the plan counts elements in 64 bits: a tensor spans 2^31 elements or more, or ONCILLA_WIDE_INDEX=1 in the environment
// asks for it (tests).
bool wide_index(const kit::OpDesc& desc);
// Defines what lib/index.h reads.
void set_index(Defines& defines, bool wide);

}  // namespace oncilla::ocl
