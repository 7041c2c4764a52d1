// What the tests of the border share: the null plugin, its raw table, and errors as values.
#pragma once

#include <cstdint>
#include <string>

#include "core/backend.hpp"
#include "oncilla/attrs.h"
#include "oncilla/oncilla.h"

// The path of the fake plugin test/abi/plugins/<stem>.cpp.
std::string plugin_path(const std::string& stem);

// The table of the null plugin, loaded once.
const oncilla::Api& null_api();
// Its switches (null.cpp).
int& null_throws();
int& null_gives_nothing();

// An onc_error taken apart and freed. Success has code 0 and an empty text.
struct Outcome {
  uint32_t code = 0;
  std::string text;
  bool has(const std::string& fragment) const { return text.find(fragment) != std::string::npos; }
};
Outcome outcome(onc_error* error);
std::ostream& operator<<(std::ostream& out, const Outcome& o);

// A device, a queue and a buffer of the null plugin.
struct Fixture {
  Fixture();
  ~Fixture();
  const oncilla::Api& api;
  onc_device* device = nullptr;
  onc_queue* queue = nullptr;
  onc_buffer* buffer = nullptr;  // of kBytes
  static constexpr uint64_t kBytes = 4096;
};
