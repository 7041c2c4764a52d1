// The host side's error: code (ONC_*) and message as the plugin or the core gave them.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "oncilla/oncilla.h"

namespace oncilla {

class Error : public std::runtime_error {
 public:
  Error(uint32_t code, const std::string& message) : std::runtime_error(message), code_(code) {}
  uint32_t code() const { return code_; }

 private:
  uint32_t code_;
};

// ONC_OUT_OF_MEMORY from the caching allocator; the message states asked, allocated, reserved and the device's size.
class OutOfMemory : public Error {
 public:
  explicit OutOfMemory(const std::string& message) : Error(ONC_OUT_OF_MEMORY, message) {}
};

}  // namespace oncilla
