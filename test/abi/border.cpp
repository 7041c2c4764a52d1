#include "border.hpp"

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <ostream>

namespace {

int& exported(const char* name) {
  void* handle = dlopen(plugin_path("null").c_str(), RTLD_NOW | RTLD_LOCAL);
  REQUIRE(handle != nullptr);
  void* symbol = dlsym(handle, name);
  REQUIRE(symbol != nullptr);
  return *static_cast<int*>(symbol);
}

}  // namespace

std::string plugin_path(const std::string& stem) { return std::string(ONC_TEST_LIB_DIR) + "/libtest_plugin_" + stem + ".so"; }

const oncilla::Api& null_api() {
  static const auto backend = oncilla::Backend::load(plugin_path("null"));
  return backend->api();
}

int& null_throws() {
  static int& value = exported("test_throws");
  return value;
}

int& null_gives_nothing() {
  static int& value = exported("test_gives_nothing");
  return value;
}

Outcome outcome(onc_error* error) {
  const oncilla::Api& api = null_api();
  Outcome o{api.error_code(error), api.error_message(error)};
  api.error_free(error);
  return o;
}

std::ostream& operator<<(std::ostream& out, const Outcome& o) { return out << "error " << o.code << " \"" << o.text << "\""; }

Fixture::Fixture() : api(null_api()) {
  REQUIRE(api.device_open(0, nullptr, &device) == nullptr);
  REQUIRE(api.queue_create(device, nullptr, &queue) == nullptr);
  REQUIRE(api.buffer_alloc(device, kBytes, &buffer) == nullptr);
}

Fixture::~Fixture() {
  api.buffer_free(buffer);
  api.queue_free(queue);
  api.device_close(device);
}
