// What a call throws.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "core/error.hpp"

namespace oncilla::test {

// The message of the Error that the call must throw, with this code.
inline std::string failure(auto&& call, uint32_t code) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.code() == code);
    return error.what();
  }
  FAIL("no error");
  return "";
}

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace oncilla::test
