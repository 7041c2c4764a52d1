// Finds, checks and loads plugins (backend.hpp). What can be known about a file before the dynamic linker touches it is checked
// first, because the linker answers a damaged file with a signal rather than an error.
#include "core/backend.hpp"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "core/elf_check.hpp"
#include "core/fork_guard.hpp"

namespace oncilla {
namespace {

constexpr size_t kFirstSlot = offsetof(onc_api, error_code);
constexpr size_t kSlotBytes = sizeof(void (*)(void));

std::string quoted(const std::string& text) { return "'" + text + "'"; }

// The slots without which no work can be done. The others are asked for where they are used.
std::string missing_slots(const onc_api& api) {
  std::string missing;
  const auto need = [&](bool present, const char* name) {
    if (!present) missing += (missing.empty() ? "" : ", ") + std::string(name);
  };
  const auto is_optional = [](const char* slot) {
    for (const char* name : {"device_stats", "buffer_map", "buffer_unmap", "event_elapsed", "event_then", "queue_watch",
                             "event_kernels", "device_examine"}) {
      if (std::strcmp(slot, name) == 0) return true;
    }
    return false;
  };
#define ONC_SLOT(result, slot, params) need(api.slot != nullptr || is_optional(#slot), #slot);
#include "oncilla/slots.def"
#undef ONC_SLOT
  return missing;
}

// Copies what the plugin has into a zeroed table of our own. `origin` is for messages.
Api adopt(const onc_api* table, const std::string& origin) {
  const auto fail = [&](const std::string& what) { throw Error(ONC_INVALID_ARGUMENT, "[plugin] " + quoted(origin) + ": " + what); };
  if (table == nullptr) fail("its entry gave no table");
  if (table->major != ONC_ABI_MAJOR) {
    fail("ABI major version " + std::to_string(table->major) + ", this library needs " + std::to_string(ONC_ABI_MAJOR));
  }
  if (table->size < kFirstSlot) fail("its table has " + std::to_string(table->size) + " bytes, too few for a header");
  const size_t slots = std::min<size_t>(table->n_slots, (table->size - kFirstSlot) / kSlotBytes);
  const size_t bytes = std::min(sizeof(onc_api), kFirstSlot + slots * kSlotBytes);
  Api api{};
  std::memcpy(static_cast<onc_api*>(&api), table, bytes);
  api.size = sizeof(onc_api);
  if (api.name == nullptr || *api.name == '\0') fail("its table has no name");
  if (api.version == nullptr) api.version = "";
  if (const std::string missing = missing_slots(api); !missing.empty()) fail("its table lacks " + missing);
  return api;
}

std::string canonical(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  if (real == nullptr) {
    throw Error(errno == ENOENT ? ONC_NOT_FOUND : ONC_INVALID_ARGUMENT, "[plugin] " + quoted(path) + ": " + std::strerror(errno));
  }
  std::string result(real);
  std::free(real);
  return result;
}

// The folder that holds this library, asked for while it is being loaded: later the working directory may have changed.
std::string find_own_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&find_own_folder), &info) == 0 || info.dli_fname == nullptr) return "";
  char* real = ::realpath(info.dli_fname, nullptr);
  if (real == nullptr) return "";
  std::string path(real);
  std::free(real);
  return path.substr(0, path.rfind('/'));
}
const std::string own_folder = find_own_folder();

struct Loaded {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Backend>> by_path;
};
// Leaked, as is every plugin: static destructors of a host may still hold devices.
Loaded& loaded() {
  static auto* state = new Loaded;
  return *state;
}

const onc_api* call_entry(onc_get_api_v1_fn entry, const std::string& path) {
  std::string reason = "an unknown exception";
  try {
    return entry();
  } catch (const std::exception& e) {
    reason = e.what();
  } catch (...) {
  }
  throw Error(ONC_INTERNAL, "[plugin] " + quoted(path) + ": " ONC_ENTRY_SYMBOL " threw: " + reason);
}

}  // namespace

void Api::check(onc_error* error) const {
  if (error == nullptr) [[likely]]
    return;
  const uint32_t code = error_code(error);
  const char* text = error_message(error);
  std::string message = text != nullptr ? text : "";
  error_free(error);
  if (message.empty()) message = std::string("[") + name + "] an error without a message, code " + std::to_string(code);
  if (code == ONC_OUT_OF_MEMORY) throw OutOfMemory(message);
  throw Error(code, message);
}

std::shared_ptr<Backend> Backend::load(const std::string& path) {
  if (path.empty() || path.front() != '/')
    throw Error(ONC_INVALID_ARGUMENT, "[plugin] " + quoted(path) + " is not an absolute path");
  const std::string real = canonical(path);
  Loaded& state = loaded();
  std::lock_guard lock(state.mutex);
  if (const auto known = state.by_path.find(real); known != state.by_path.end()) return known->second;

  struct stat status {};
  if (::stat(real.c_str(), &status) != 0) throw Error(ONC_NOT_FOUND, "[plugin] " + quoted(real) + ": " + std::strerror(errno));
  if (!S_ISREG(status.st_mode)) throw Error(ONC_INVALID_ARGUMENT, "[plugin] " + quoted(real) + " is not a regular file");
  if (::access(real.c_str(), R_OK) != 0)
    throw Error(ONC_INVALID_ARGUMENT, "[plugin] " + quoted(real) + ": " + std::strerror(errno));
  check_elf(real);

  void* handle = nullptr;
  try {
    handle = dlopen(real.c_str(), RTLD_NOW | RTLD_LOCAL);
  } catch (const std::exception& e) {  // a static constructor threw
    throw Error(ONC_INTERNAL, "[plugin] " + quoted(real) + ": threw while it was being loaded: " + e.what());
  }
  if (handle == nullptr) {
    const char* why = dlerror();
    throw Error(ONC_INVALID_ARGUMENT, "[plugin] " + quoted(real) + " does not load: " + (why != nullptr ? why : "no reason given"));
  }
  const auto entry = reinterpret_cast<onc_get_api_v1_fn>(dlsym(handle, ONC_ENTRY_SYMBOL));
  if (entry == nullptr)
    throw Error(ONC_INVALID_ARGUMENT, "[plugin] " + quoted(real) + " has no symbol " ONC_ENTRY_SYMBOL ": not an Oncilla plugin");
  auto backend = from_table(call_entry(entry, real), real);
  state.by_path.emplace(real, backend);
  return backend;
}

std::shared_ptr<Backend> Backend::named(const std::string& name) {
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (!plain) throw Error(ONC_INVALID_ARGUMENT, "[plugin] " + quoted(name) + " is not a plugin's name (letters a-z, digits and _)");
  const std::string file = "/liboncilla_" + name + ".so";
  for (const char* folder : {"", "/oncilla"}) {
    const std::string path = own_folder + folder + file;
    if (!own_folder.empty() && ::access(path.c_str(), F_OK) == 0) return load(path);
  }
  throw Error(ONC_NOT_FOUND, "[plugin] " + quoted(name) + " is not part of this installation: no " + own_folder + file);
}

std::shared_ptr<Backend> Backend::from_table(const onc_api* table, const std::string& origin) {
  auto backend = std::shared_ptr<Backend>(new Backend);
  backend->api_ = adopt(table, origin);
  backend->name_ = backend->api_.name;
  backend->path_ = origin;
  return backend;
}

uint32_t Backend::device_count() const {
  fork_guard::enter("plugin");
  uint32_t count = 0;
  api_.check(api_.device_count(&count));
  return count;
}

onc_device_info Backend::device_info(uint32_t index) const {
  fork_guard::enter("plugin");
  onc_device_info info{};
  info.size = sizeof(info);
  api_.check(api_.device_info(index, &info));
  for (const char** text : {&info.name, &info.vendor, &info.platform, &info.driver, &info.api, &info.features}) {
    if (*text == nullptr) *text = "";  // an older plugin fills a shorter struct
  }
  return info;
}

}  // namespace oncilla
