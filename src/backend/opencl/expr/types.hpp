// OpenCL C's spelling of the values of a tape: a value is one element, or `width` of them in an explicit vector.
#pragma once

#include <cstdint>
#include <string>

#include "kit/backend.hpp"

namespace oncilla::ocl {

// "float16"; "float" for width 1.
std::string vector_type(const std::string& scalar, int width);

// The type that computes a value dtype: float, double, int, long. A BOOL is an int, 0 or 1; in a vector each lane is 0 or -1, as
// OpenCL's vector comparisons give it.
const char* value_scalar(uint32_t dtype);
std::string value_type(uint32_t dtype, int width);

// How a storage dtype lies in memory, and how its elements look once loaded (half is loaded as float).
const char* storage_scalar(uint32_t dtype);
const char* loaded_scalar(uint32_t dtype);
// A type of storage's size whose vectors may be moved.
const char* storage_bits(uint32_t dtype);

// An element as loaded from `storage` as a value of `dtype`, and back: as it is to be stored.
std::string from_storage(const std::string& x, uint32_t storage, uint32_t dtype, int width);
std::string to_storage(const std::string& x, uint32_t dtype, uint32_t storage, int width);
std::string cast_value(const std::string& x, uint32_t from, uint32_t to, int width);
// One value in every lane.
std::string broadcast(const std::string& x, uint32_t dtype, int width);
// A number as source text, exact.
std::string literal(const onc_scalar& value, uint32_t dtype);
// The int lanes of a comparison's mask as the lanes that select values of `dtype`.
std::string select_mask(const std::string& mask, uint32_t dtype, int width);

}  // namespace oncilla::ocl
