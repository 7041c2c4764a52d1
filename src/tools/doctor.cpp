// `oncilla doctor`: is this machine ready, does its driver do what it says, are the ops right on it? Each problem is followed by
// what to do. The process itself calls no driver: those that do may crash or hang.
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tools/child.hpp"
#include "tools/command.hpp"
#include "tools/doctor_parts.hpp"

extern char** environ;

namespace oncilla::tools {
namespace {

using Json = nlohmann::ordered_json;

// What `oncilla devices` lists; an empty object if even that fails.
Json list_devices(DoctorReport& report, const DoctorOptions& options) {
  std::string text;
  const Ended ended = run_child({"devices", "--json"}, options.limit, [&](const std::string& line) { text += line + "\n"; });
  report.detail("oncilla devices --json", text);
  if (!ended.errors.empty()) report.detail("What it wrote to standard error", ended.errors);
  if (!ended.how.empty()) {
    report.add(Level::problem, "a process " + ended.how + " while listing the devices and probing their features",
               "update the driver; with several, ONCILLA_DEVICES=0 or OCL_ICD_VENDORS=FOLDER finds out which one it is");
    return Json::object();
  }
  const Json listing = Json::parse(text, nullptr, false);
  if (!listing.is_object() || !listing.contains("devices"))
    report.add(Level::problem, "`oncilla devices` lists nothing: " + last_line(ended.errors),
               "reinstall Oncilla, or report this line");
  return listing;
}

void examine_device(DoctorReport& report, const DoctorOptions& options, const Json& device) {
  const int index = device["index"];
  const auto text = [&](const char* field) { return device[field].is_string() ? device[field].get<std::string>() : std::string(); };
  report.section("ocl:" + std::to_string(index) + ", " + text("name"));
  report.ok(text("platform") + ", driver " + text("driver") + ", " + text("api") + ", class " + text("class") + ", " +
            std::to_string(device["compute_units"].get<uint64_t>()) + " compute units");
  if (!text("error").empty()) {
    report.add(Level::problem, text("error"),
               "a device that does not open serves nothing: mend what the line says, or update the driver");
    return;
  }
  if (!text("warning").empty()) report.add(Level::warning, text("warning"), "");
  for (const char* part : {"device", "speed"}) {
    if (options.wants(part)) run_worker(report, options, {"--step", part, "--device", std::to_string(index)});
  }
  if (options.wants("ops"))
    examine_ops(report, options, device["plugin"]["path"].get<std::string>(), device["plugin"]["device"].get<uint32_t>());
}

void examine_devices(DoctorReport& report, const DoctorOptions& options) {
  report.section("Devices");
  const Json listing = list_devices(report, options);
  if (!listing.is_object() || !listing.contains("devices")) return;
  const Json& devices = listing["devices"];
  for (const Json& problem : listing["problems"])
    report.add(Level::problem, problem.get<std::string>(),
               "mend what the line says; what is said of loader and drivers above may be why");
  if (devices.empty()) return report.add(Level::problem, "there is no device", "for the CPU: " + install_command("cpu", options));
  report.ok(std::to_string(devices.size()) + (devices.size() == 1 ? " device" : " devices"));
  if (options.device >= static_cast<int>(devices.size()))
    report.add(Level::problem, "there is no device " + std::to_string(options.device), "`oncilla devices` lists them");
  for (const Json& device : devices) {
    if (options.device < 0 || device["index"] == options.device) examine_device(report, options, device);
  }
}

void environment(DoctorReport& report) {
  std::string text;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string variable = *entry;
    for (const char* begin : {"ONCILLA_", "OCL_", "OPENCL_", "POCL_", "RUSTICL_", "MESA_", "GALLIUM_", "CL_CONFIG_", "NEO", "ROCR_",
                              "HSA_", "CUDA_VISIBLE", "LD_"}) {
      if (variable.rfind(begin, 0) == 0) text += variable + "\n";
    }
  }
  report.detail("Environment", text.empty() ? "nothing set that concerns OpenCL" : text);
}

int run_doctor(const DoctorOptions& options) {
  if (!options.step.empty()) return work(options);
  if (!options.report.empty()) {
    std::FILE* file = std::fopen(options.report.c_str(), "w");
    if (file == nullptr) throw std::runtime_error("cannot write " + options.report);
    std::fclose(file);
  }
  DoctorReport report;
  if (options.wants("machine")) examine_system(report, options);
  if (options.wants("device") || options.wants("speed") || options.wants("ops")) examine_devices(report, options);

  environment(report);
  report.close();
  if (!options.report.empty()) {
    report.write(options.report);
    std::printf("Written to %s; attach it to a report. Home folder, user and host names are replaced in it.\n",
                options.report.c_str());
  }
  return report.count(Level::problem) > 0 ? kFailed : kOk;
}

void setup(CLI::App& app, std::function<int()>& run) {
  auto* command = app.add_subcommand("doctor", "Find out whether drivers, devices and ops are in order, and what to do if not");
  static DoctorOptions options;
  command->add_option("--device", options.device, "Only this device of `oncilla devices`; all without it");
  command->add_flag("--full", options.full, "Every dtype, and sixteen times as many cases: minutes instead of one");
  command->add_option("--report", options.report, "Write what is found, with details, to this file (Markdown)");
  command->add_option("--part", options.parts, "Only these parts: machine (with loader and drivers), device, speed, ops")
      ->delimiter(',')
      ->check(CLI::IsMember({"machine", "device", "speed", "ops"}));
  command->add_option("--op", options.ops, "Of the ops only these, separated by commas")->delimiter(',');
  command->add_option("--limit", options.limit, "Seconds that a driver may take for one thing")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  command->add_option("--root", options.root)->group("");
  command->add_option("--step", options.step)->group("");
  command->add_option("--file", options.file)->group("");
  command->callback([&run] { run = [] { return run_doctor(options); }; });
}

const Command registered(setup);

}  // namespace
}  // namespace oncilla::tools
