// Reads and writes the ABI's structs through their `size`: a caller may be older (smaller struct: the rest is zero) or newer
// (larger: the rest is skipped). Every struct is a multiple of 8 bytes without tail padding, so that a member is either wholly
// inside `size` or absent.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kit/error.hpp"
#include "oncilla/oncilla.h"

namespace oncilla::kit {

inline constexpr uint32_t kHeadBytes = 16;            // size, flags, next
inline constexpr uint32_t kMaxStructBytes = 1 << 16;  // a larger `size` was never initialised

// The caller's `size`, plausible. where: the slot or op; what: the parameter.
inline uint32_t struct_size(const char* where, const char* what, const void* p) {
  require(p != nullptr, "[", where, "] ", what, " is NULL");
  uint32_t size = 0;
  std::memcpy(&size, p, sizeof(size));
  require(size >= kHeadBytes && size <= kMaxStructBytes, "[", where, "] ", what, ".size ", size,
          " is not the size of a struct (uninitialised?)");
  return size;
}

// A full-size copy of *p. known_flags: the bits that `flags` may have.
template <class T>
T read_struct(const char* where, const char* what, const T* p, uint32_t known_flags = 0) {
  const uint32_t size = struct_size(where, what, p);
  T copy{};
  std::memcpy(static_cast<void*>(&copy), p, std::min<size_t>(size & ~7u, sizeof(T)));
  require((copy.flags & ~known_flags) == 0, "[", where, "] ", what, ".flags ", copy.flags,
          " has bits that this plugin does not know");
  copy.size = sizeof(T);
  return copy;
}

// Fills the caller's *p from `full`, never past its size; keeps its head. Members newer than this plugin become zero.
template <class T>
void write_struct(const char* where, const char* what, T* p, const T& full) {
  const size_t size = struct_size(where, what, p), common = std::min(size, sizeof(T));
  auto* to = reinterpret_cast<unsigned char*>(p);
  std::memcpy(to + kHeadBytes, reinterpret_cast<const unsigned char*>(&full) + kHeadBytes, common - kHeadBytes);
  std::memset(to + common, 0, size - common);
}

}  // namespace oncilla::kit
