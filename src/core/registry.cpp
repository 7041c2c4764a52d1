// The list of devices that a host sees (device.hpp): which plugins are asked, in which order, and what was left out.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "core/device.hpp"
#include "core/fork_guard.hpp"

namespace oncilla {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// Replaces `entries` by the selected ones, or says what is wrong with the selection.
std::string select(std::vector<Registry::Entry>& entries, const std::string& selection) {
  const std::string head = "[registry] ONCILLA_DEVICES=" + selection + ": ";
  std::vector<size_t> chosen;
  for (const std::string& part : split(selection, ',')) {
    const bool digits =
        !part.empty() && part.size() <= 6 && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return head + "'" + part + "' is not a device number; expected numbers separated by commas, as in 0,2";
    const size_t index = std::stoul(part);
    if (index >= entries.size()) return head + "there is no device " + part + "; found " + std::to_string(entries.size());
    if (std::count(chosen.begin(), chosen.end(), index) != 0) return head + "device " + part + " is named twice";
    chosen.push_back(index);
  }
  std::vector<Registry::Entry> kept;
  kept.reserve(chosen.size());
  for (size_t index : chosen) kept.push_back(entries[index]);
  entries = std::move(kept);
  return "";
}

}  // namespace

Registry::Listing Registry::list(const std::vector<std::shared_ptr<Backend>>& backends, const char* selection) {
  Listing listing;
  for (const auto& backend : backends) {
    uint32_t count = 0;
    try {
      count = backend->device_count();
    } catch (const Error& error) {
      listing.problems.emplace_back(error.what());
      continue;
    }
    if (count == 0) listing.problems.push_back("[registry] plugin " + backend->name() + " found no device");
    for (uint32_t index = 0; index < count; ++index) {
      try {
        listing.entries.push_back({backend, index, backend->device_info(index)});
      } catch (const Error& error) {
        listing.problems.emplace_back(error.what());
      }
    }
  }
  if (selection != nullptr && *selection != '\0') {
    if (std::string problem = select(listing.entries, selection); !problem.empty()) {
      listing.entries.clear();
      listing.problems.push_back(std::move(problem));
    }
  }
  return listing;
}

Registry::Registry() {
  std::vector<std::shared_ptr<Backend>> backends;
  std::vector<std::string> problems;
  const auto add = [&](auto&& load) {
    try {
      auto backend = load();
      if (std::find(backends.begin(), backends.end(), backend) == backends.end()) backends.push_back(std::move(backend));
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
  };
  if (const char* paths = std::getenv("ONCILLA_PLUGINS")) {
    for (const std::string& path : split(paths, ':')) {
      if (!path.empty()) add([&] { return Backend::load(path); });
    }
  }
  add([] { return Backend::named("opencl"); });
  Listing listing = list(backends, std::getenv("ONCILLA_DEVICES"));
  entries_ = std::move(listing.entries);
  problems_ = std::move(problems);
  problems_.insert(problems_.end(), listing.problems.begin(), listing.problems.end());
  devices_.resize(entries_.size());
}

// Leaked: closing devices from a static destructor would call drivers that may have been torn down already.
Registry& Registry::get() {
  static auto* registry = new Registry;
  return *registry;
}

std::shared_ptr<Device> Registry::device(uint32_t i) {
  fork_guard::check("registry");
  if (i >= entries_.size()) {
    std::string message = "[registry] no device " + std::to_string(i) + "; found " + std::to_string(entries_.size());
    for (const std::string& problem : problems_) message += "; " + problem;
    throw Error(ONC_NOT_FOUND, message);
  }
  std::lock_guard lock(mutex_);
  if (devices_[i] == nullptr) devices_[i] = Device::open(entries_[i].backend, entries_[i].index);
  return devices_[i];
}

}  // namespace oncilla
