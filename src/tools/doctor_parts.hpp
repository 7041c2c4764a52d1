// The parts of `oncilla doctor`. Those that touch a driver run in processes of their own (doctor_worker.cpp), which print a line of
// JSON for each thing they begin ({"begin": "…"}) or find ({"level": 3, "topic": "…", "text": "…", "advice": "…"}).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/doctor_report.hpp"

namespace oncilla::tools {

struct DoctorOptions {
  int device = -1;  // of `oncilla devices`; -1: all
  bool full = false;
  std::string report;              // the file
  std::vector<std::string> parts;  // "machine", "device", "speed", "ops"; none: all
  std::vector<std::string> ops;    // of the conformance part; none: all
  double limit = 120;              // seconds without a word after which a part is stopped
  std::string root;                // in front of /etc, /dev and /sys, for tests
  std::string step, file;          // of a worker

  bool wants(const char* part) const { return parts.empty() || std::find(parts.begin(), parts.end(), part) != parts.end(); }
};

// Operating system, GPUs, device files; then the loader and each driver's file (doctor_system.cpp).
void examine_system(DoctorReport& report, const DoctorOptions& options);
// The command that installs something, by packages.def and the distribution.
std::string install_command(const std::string& what, const DoctorOptions& options, const std::string& library = "");

// Runs a worker and adds what it finds; a worker that crashes or hangs is a problem that names what it had begun. False if that
// happened.
bool run_worker(DoctorReport& report, const DoctorOptions& options, const std::vector<std::string>& arguments);
std::string last_line(std::string text);
// What a worker does; the exit status.
int work(const DoctorOptions& options);

// The case tables on a device: `backend` is a plugin's path, `index` its device (doctor_conformance.cpp).
void examine_ops(DoctorReport& report, const DoctorOptions& options, const std::string& backend, uint32_t index);

}  // namespace oncilla::tools
