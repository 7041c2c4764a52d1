// What lies around OpenCL: the machine, its GPUs and their device files, the loader, the vendors' files. Reads only; the libraries
// are loaded by workers.
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "tools/doctor_parts.hpp"

namespace oncilla::tools {
namespace {

namespace fs = std::filesystem;

struct Package {
  const char *what, *distribution, *command;
};
constexpr Package kPackages[] = {
#define ONC_PACKAGE(what, distribution, command) {what, distribution, command},
#include "tools/packages.def"
#undef ONC_PACKAGE
};

struct Gpu {
  const char *vendor_id, *name, *modules, *libraries, *files;
};
constexpr Gpu kGpus[] = {
#define ONC_GPU(vendor_id, name, modules, libraries, files) {vendor_id, name, modules, libraries, files},
#include "tools/gpus.def"
#undef ONC_GPU
};

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> result;
  for (std::string word; in >> word;) result.push_back(word);
  return result;
}

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) line.pop_back();
  return line;
}

// NAME="value" lines.
std::map<std::string, std::string> os_release(const std::string& root) {
  std::map<std::string, std::string> values;
  std::ifstream in(root + "/etc/os-release");
  for (std::string line; std::getline(in, line);) {
    const size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    std::string value = line.substr(equals + 1);
    std::erase(value, '"');
    values[line.substr(0, equals)] = value;
  }
  return values;
}

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) found.push_back(it->path());
  std::sort(found.begin(), found.end());
  return found;
}

// Paths under /dev that a name with an optional '*' at its end stands for.
std::vector<fs::path> device_files(const std::string& root, const std::string& name) {
  const bool open = name.back() == '*';
  const fs::path path = root + "/dev/" + (open ? name.substr(0, name.size() - 1) : name);
  std::vector<fs::path> found;
  for (const fs::path& entry : entries(path.parent_path())) {
    const std::string file = entry.filename().string(), begin = path.filename().string();
    if (open ? file.rfind(begin, 0) == 0 : file == begin) found.push_back(entry);
  }
  return found;
}

std::string shown(const fs::path& path, const std::string& root) { return path.string().substr(root.size()); }

void machine(DoctorReport& report, const std::string& root) {
  auto os = os_release(root);
  utsname kernel{};
  uname(&kernel);
  const uint64_t memory = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE));
  const std::string name = os["PRETTY_NAME"].empty() ? "an unknown system" : os["PRETTY_NAME"];
  report.ok("oncilla " ONC_VERSION ", " + name + ", Linux " + kernel.release + " on " + kernel.machine + ", " +
            std::to_string(std::thread::hardware_concurrency()) + " processors, " + std::to_string(memory >> 20) +
            " MiB of memory");
}

struct Found {
  const Gpu* gpu;
  std::string slot, module;
};

std::vector<Found> gpus(const std::string& root) {
  std::vector<Found> found;
  for (const fs::path& slot : entries(root + "/sys/bus/pci/devices")) {
    const std::string kind = first_line(slot / "class");
    if (kind.rfind("0x03", 0) != 0 && kind.rfind("0x12", 0) != 0) continue;  // displays; processing accelerators
    const std::string vendor = first_line(slot / "vendor");
    const auto* gpu = std::find_if(std::begin(kGpus), std::end(kGpus), [&](const Gpu& g) { return vendor == g.vendor_id; });
    if (gpu == std::end(kGpus)) continue;
    std::error_code none;
    found.push_back({gpu, slot.filename().string(), fs::read_symlink(slot / "driver", none).filename().string()});
  }
  return found;
}

void gpu_lines(DoctorReport& report, const std::string& root, const std::vector<Found>& found) {
  if (found.empty()) report.note("no GPU of Intel, AMD or NVIDIA on the PCI bus: the CPU can be an OpenCL device");
  for (const Found& f : found) {
    const std::string name = std::string("GPU of ") + f.gpu->name + " at " + f.slot;
    const auto modules = words(f.gpu->modules);
    if (std::find(modules.begin(), modules.end(), f.module) == modules.end()) {
      report.add(Level::warning,
                 name + " is driven by " + (f.module.empty() ? "no kernel module" : "the kernel module " + f.module),
                 std::string("OpenCL needs the module ") + f.gpu->modules + ": see dmesg for why it was not loaded");
    } else {
      report.ok(name + ", kernel module " + f.module);
    }
    bool any = false;
    for (const std::string& file : words(f.gpu->files)) any = any || !device_files(root, file).empty();
    if (!any)
      report.add(Level::warning, name + " has none of the files " + f.gpu->files + " in /dev",
                 "in a container they are handed in (docker run --device /dev/dri --device /dev/kfd, or --gpus all); else the "
                 "module is not loaded");
  }
}

// Whether the user may open what GPUs are reached through.
void permissions(DoctorReport& report, const std::string& root) {
  for (const char* name : {"dri/renderD*", "kfd", "nvidiactl", "nvidia0"}) {
    for (const fs::path& file : device_files(root, name)) {
      const std::string path = shown(file, root);
      if (faccessat(AT_FDCWD, file.c_str(), R_OK | W_OK, AT_EACCESS) == 0) {
        report.ok(path + " may be opened");
        continue;
      }
      struct stat info {};
      std::string group = "render";
      const struct group* owner = stat(file.c_str(), &info) == 0 ? getgrgid(info.st_gid) : nullptr;
      if (owner != nullptr) group = owner->gr_name;
      const bool by_group = (info.st_mode & (S_IRGRP | S_IWGRP)) == (S_IRGRP | S_IWGRP);
      report.add(Level::problem, path + " may not be opened by this user; it belongs to the group " + group,
                 by_group && group != "root" ? "sudo usermod -aG " + group + " $(id -un), then log in again"
                                             : "its mode lets nobody else in: see the udev rules of the driver, and reinstall it");
    }
  }
}

// Where the loader looks: a folder of .icd files, one such file, or libraries.
std::vector<fs::path> vendor_files(DoctorReport& report, const std::string& root) {
  fs::path where = root + "/etc/OpenCL/vendors";
  for (const char* variable : {"OPENCL_VENDOR_PATH", "OCL_ICD_VENDORS"}) {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value == 0) continue;
    where = value;
    report.note(std::string(variable) + "=" + value + " says which drivers there are, in place of /etc/OpenCL/vendors");
  }
  for (const char* variable :
       {"OCL_ICD_FILENAMES", "OPENCL_LAYERS", "OCL_ICD_PLATFORM_SORT", "ONCILLA_DEVICES", "ONCILLA_PLUGINS"}) {
    const char* value = std::getenv(variable);
    if (value != nullptr && *value != 0) report.note(std::string(variable) + "=" + value);
  }
  std::error_code ignored;
  if (fs::is_regular_file(where, ignored)) return {where};
  std::vector<fs::path> files;
  for (const fs::path& file : entries(where)) {
    if (file.extension() == ".icd") files.push_back(file);
  }
  if (files.empty())
    report.add(
        Level::problem, "no driver: there is no .icd file in " + where.string(),
        "install a driver: for the CPU " + install_command("cpu", {.root = root}) + "; for GPUs see below, or the vendor's page");
  return files;
}

}  // namespace

std::string install_command(const std::string& what, const DoctorOptions& options, const std::string& library) {
  auto os = os_release(options.root);
  std::vector<std::string> families = words(os["ID"] + " " + os["ID_LIKE"]);
  families.emplace_back("");
  for (const std::string& family : families) {
    for (const Package& package : kPackages) {
      if (what != package.what || family != package.distribution) continue;
      std::string command = package.command;
      if (const size_t at = command.find('%'); at != std::string::npos) command.replace(at, 1, library);
      return command;
    }
  }
  return "";
}

void examine_system(DoctorReport& report, const DoctorOptions& options) {
  const std::string& root = options.root;
  report.section("Machine");
  machine(report, root);
  const std::vector<Found> found = gpus(root);
  gpu_lines(report, root, found);
  permissions(report, root);

  report.section("Loader and drivers");
  run_worker(report, options, {"--step", "loader"});
  std::string libraries;
  for (const fs::path& file : vendor_files(report, root)) {
    libraries += first_line(file) + " ";
    run_worker(report, options, {"--step", "icd", "--file", file.string()});
  }
  std::set<const Gpu*> told;
  for (const Found& f : found) {
    const auto parts = words(f.gpu->libraries);
    const bool served =
        std::any_of(parts.begin(), parts.end(), [&](const auto& p) { return libraries.find(p) != std::string::npos; });
    if (!served && told.insert(f.gpu).second)
      report.add(Level::warning, std::string("no OpenCL driver for the GPU of ") + f.gpu->name,
                 install_command(f.gpu->name, options));
  }
}

}  // namespace oncilla::tools
