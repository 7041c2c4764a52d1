// `oncilla devices`: every device that Oncilla can use here, with what opening it showed. Ends with status 2 and a sentence that
// says what to do where there is none.
#include <cinttypes>
#include <cstdio>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "core/device.hpp"
#include "tools/command.hpp"

namespace oncilla::tools {
namespace {

using Json = nlohmann::ordered_json;

// What a plugin says of a device, in our own strings.
struct Row {
  std::string name, vendor, platform, driver, api, device_class, plugin, plugin_path;
  std::vector<std::string> features;
  uint32_t plugin_device = 0, compute_units = 0, max_work_group = 0, base_align_bytes = 0;
  uint64_t memory_bytes = 0, max_alloc_bytes = 0, local_bytes = 0;
  std::string error;    // why it did not open
  std::string warning;  // what opening it found amiss, for example a cache folder that cannot be used
};

struct Listing {
  std::vector<Row> rows;
  std::vector<std::string> problems;
};

const char* class_name(uint32_t device_class) {
  switch (device_class) {
    case ONC_CLASS_CPU:
      return "cpu";
    case ONC_CLASS_INTEGRATED:
      return "integrated";
    case ONC_CLASS_DISCRETE:
      return "discrete";
    default:
      return "other";
  }
}

std::string text(const char* value) { return value != nullptr ? value : ""; }

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> result;
  for (std::string word; in >> word;) result.push_back(word);
  return result;
}

Row describe(const Backend& backend, uint32_t index, onc_device_info info, const std::function<std::shared_ptr<Device>()>& open) {
  Row row;
  try {
    const auto device = open();
    info = device->info();
    row.warning = text(device->stats().warnings);
  } catch (const std::exception& error) {
    row.error = error.what();
  }
  row.name = text(info.name);
  row.vendor = text(info.vendor);
  row.platform = text(info.platform);
  row.driver = text(info.driver);
  row.api = text(info.api);
  row.features = words(text(info.features));
  row.device_class = class_name(info.device_class);
  row.compute_units = info.compute_units;
  row.max_work_group = info.max_work_group;
  row.base_align_bytes = info.base_align_bytes;
  row.memory_bytes = info.memory_bytes;
  row.max_alloc_bytes = info.max_alloc_bytes;
  row.local_bytes = info.local_bytes;
  row.plugin = backend.name();
  row.plugin_path = backend.path();
  row.plugin_device = index;
  return row;
}

Listing list_registry() {
  Registry& registry = Registry::get();
  Listing listing;
  listing.problems = registry.problems();
  const auto& entries = registry.entries();
  for (uint32_t i = 0; i < entries.size(); ++i) {
    listing.rows.push_back(describe(*entries[i].backend, entries[i].index, entries[i].info, [&] { return registry.device(i); }));
  }
  return listing;
}

// plugin: a path, or the name of one of the installation.
Listing list_plugin(const std::string& plugin) {
  Listing listing;
  try {
    const auto backend = plugin.find('/') == std::string::npos ? Backend::named(plugin) : Backend::load(plugin);
    const uint32_t count = backend->device_count();
    for (uint32_t i = 0; i < count; ++i) {
      listing.rows.push_back(describe(*backend, i, backend->device_info(i), [&] { return Device::open(backend, i); }));
    }
  } catch (const std::exception& error) {
    listing.problems.push_back(error.what());
  }
  return listing;
}

std::string size(uint64_t bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  int unit = 0;
  for (; value >= 1024 && unit < 4; ++unit) value /= 1024;
  char out[32];
  std::snprintf(out, sizeof out, value < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", value, units[unit]);
  return out;
}

void print_table(const Listing& listing) {
  std::string platform;
  for (size_t i = 0; i < listing.rows.size(); ++i) {
    const Row& row = listing.rows[i];
    if (i == 0 || row.platform != platform) std::printf("%s%s\n", i == 0 ? "" : "\n", row.platform.c_str());
    platform = row.platform;
    std::printf("  ocl:%zu  %s\n", i, row.name.c_str());
    const auto line = [](const char* label, const std::string& value) { std::printf("         %-14s %s\n", label, value.c_str()); };
    line("class", row.device_class);
    line("memory", size(row.memory_bytes));
    line("max allocation", size(row.max_alloc_bytes));
    line("local memory", size(row.local_bytes));
    line("compute units", std::to_string(row.compute_units));
    line("driver", row.driver + (row.api.empty() ? "" : " (" + row.api + ")"));
    std::string features;
    for (const std::string& feature : row.features) features += (features.empty() ? "" : " ") + feature;
    line("features", features.empty() ? "none" : features);
    line("plugin", row.plugin);
    if (!row.error.empty()) line("does not open", row.error);
    if (!row.warning.empty()) line("warning", row.warning);
  }
}

void print_json(const Listing& listing) {
  Json devices = Json::array();
  for (size_t i = 0; i < listing.rows.size(); ++i) {
    const Row& row = listing.rows[i];
    devices.push_back({{"index", i},
                       {"name", row.name},
                       {"vendor", row.vendor},
                       {"platform", row.platform},
                       {"driver", row.driver},
                       {"api", row.api},
                       {"class", row.device_class},
                       {"memory_bytes", row.memory_bytes},
                       {"max_alloc_bytes", row.max_alloc_bytes},
                       {"local_bytes", row.local_bytes},
                       {"compute_units", row.compute_units},
                       {"max_work_group", row.max_work_group},
                       {"base_align_bytes", row.base_align_bytes},
                       {"features", row.features},
                       {"plugin", {{"name", row.plugin}, {"path", row.plugin_path}, {"device", row.plugin_device}}},
                       {"error", row.error.empty() ? Json() : Json(row.error)},
                       {"warning", row.warning.empty() ? Json() : Json(row.warning)}});
  }
  Json document = {{"version", ONC_VERSION}, {"devices", std::move(devices)}, {"problems", listing.problems}};
  // A driver's string need not be UTF-8; JSON must.
  std::printf("%s\n", document.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

int run_devices(bool json, const std::string& plugin) {
  const Listing listing = plugin.empty() ? list_registry() : list_plugin(plugin);
  if (json) {
    print_json(listing);
  } else {
    print_table(listing);
  }
  std::fflush(stdout);
  for (const std::string& problem : listing.problems) std::fprintf(stderr, "oncilla: %s\n", problem.c_str());
  if (listing.rows.empty()) {
    if (listing.problems.empty())
      std::fprintf(stderr, "oncilla: no device: install an OpenCL driver, on Debian pocl-opencl-icd for the CPU\n");
    return kUnusable;
  }
  for (const Row& row : listing.rows) {
    if (!row.error.empty()) return kFailed;
  }
  return kOk;
}

void setup(CLI::App& app, std::function<int()>& run) {
  auto* command = app.add_subcommand("devices", "List platforms and devices, with memory, driver and probed features");
  static bool json = false;
  static std::string plugin;
  command->add_flag("--json", json, "Print JSON");
  command->add_option("--plugin", plugin, "List this plugin alone: a path, or a name such as reference");
  command->callback([&run] { run = [] { return run_devices(json, plugin); }; });
}

const Command registered(setup);

}  // namespace
}  // namespace oncilla::tools
