// Loads plugins and lists their devices. A plugin comes from an explicit path (ONCILLA_PLUGINS, colon-separated absolute paths, or
// load()) or from the installation's own folder; the current directory and the library path are never searched. A loaded plugin is
// never unloaded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "oncilla/oncilla.h"

namespace oncilla {

// The host's own, full-size copy of a plugin's table: slots that the plugin lacks are NULL.
struct Api : onc_api {
  // Throws Error if `error` is not NULL, and frees it.
  void check(onc_error* error) const;
};

class Backend {
 public:
  // Loads a shared object. Errors (missing or truncated file, no entry symbol, another major version, a table without the slots
  // that every plugin needs, an entry that throws) are Error with a message that names the path. The same path gives the same
  // Backend.
  static std::shared_ptr<Backend> load(const std::string& path);
  // A plugin of the installation by name: "opencl" is liboncilla_opencl.so beside this library or in its oncilla/ folder.
  static std::shared_ptr<Backend> named(const std::string& name);
  // Wraps a table that is already in the process (tests, statically linked plugins).
  static std::shared_ptr<Backend> from_table(const onc_api* table, const std::string& origin);

  const Api& api() const { return api_; }
  const std::string& name() const { return name_; }
  const std::string& path() const { return path_; }
  uint32_t device_count() const;  // throws as the plugin says, for example ONC_NOT_FOUND "no OpenCL platform: install ..."
  onc_device_info device_info(uint32_t index) const;

 private:
  Backend() = default;
  Api api_{};
  std::string name_, path_;
};

}  // namespace oncilla
