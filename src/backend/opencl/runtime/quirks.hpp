// What is known to be wrong in a driver and no probe finds (tuning/quirks.def), and what the user switched off. Applied when a
// device is opened, after the probes, so that what they found stays on disk as it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/cl.hpp"

namespace oncilla::ocl {

struct Quirk {
  const char *platform, *device;  // the platform's name; part of the device's name, or ""
  const char *from, *until;       // driver versions: the first that has it, the first that has not; "": open
  const char* feature;            // that it turns off, or "" where kernels work around it
  const char *what, *link;
};

// The rows that match.
std::vector<const Quirk*> quirks_of(const cl::Platform& platform, const cl::Device& id);
// Whether a driver's version is in the range: numbers are compared one by one.
bool in_range(std::string_view version, std::string_view from, std::string_view until);

// The features that ONCILLA_FEATURES_OFF names, separated by commas. Throws ONC_INVALID_ARGUMENT for a name that is none.
std::vector<std::string> features_off();

}  // namespace oncilla::ocl
