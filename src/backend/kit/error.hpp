// The exception that a plugin throws inside, and how its message is built. backend.hpp converts it once, at the border.
#pragma once

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>

#include "oncilla/oncilla.h"

namespace oncilla::kit {

class Error : public std::runtime_error {
 public:
  Error(uint32_t code, const std::string& message) : std::runtime_error(message), code_(code) {}
  uint32_t code() const { return code_; }

 private:
  uint32_t code_;
};

// Joins its arguments as a stream would: cat("[", op, "] rank ", 9, " is above 8").
template <class... Args>
std::string cat(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return out.str();
}

// One line of validation: require(rank <= 8, "[expr] rank ", rank, " is above 8"). The caller's mistake.
template <class... Args>
void require(bool holds, const Args&... message) {
  if (!holds) throw Error(ONC_INVALID_ARGUMENT, cat(message...));
}

// As require, for what is valid but not served: the host may fall back.
template <class... Args>
void support(bool holds, const Args&... message) {
  if (!holds) throw Error(ONC_UNIMPLEMENTED, cat(message...));
}

}  // namespace oncilla::kit
