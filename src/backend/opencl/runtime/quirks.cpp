#include "runtime/quirks.hpp"

#include <cctype>
#include <cstdlib>
#include <sstream>

#include "runtime/device.hpp"

namespace oncilla::ocl {
namespace {

constexpr Quirk kQuirks[] = {
#define ONC_QUIRK(platform, device, from, until, feature, what, link) {platform, device, from, until, feature, what, link},
#include "tuning/quirks.def"
#undef ONC_QUIRK
};

// The first run of digits and dots: "3.1+debian" gives 3 1, "535.183.01, CUDA" gives 535 183 1.
std::vector<long> numbers(std::string_view version) {
  std::vector<long> found;
  bool inside = false;
  for (const char c : version) {
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      if (!inside) found.push_back(0);
      found.back() = (found.back() * 10 + (c - '0')) % 1'000'000'000;
      inside = true;
    } else if (c == '.' || found.empty()) {
      inside = false;
    } else {
      break;
    }
  }
  return found;
}

}  // namespace

bool in_range(std::string_view version, std::string_view from, std::string_view until) {
  const std::vector<long> own = numbers(version);
  if (!from.empty() && own < numbers(from)) return false;
  return until.empty() || own < numbers(until);
}

std::vector<const Quirk*> quirks_of(const cl::Platform& platform, const cl::Device& id) {
  const std::string name = platform.getInfo<CL_PLATFORM_NAME>().c_str(), device = id.getInfo<CL_DEVICE_NAME>().c_str();
  const std::string driver = id.getInfo<CL_DRIVER_VERSION>().c_str();
  std::vector<const Quirk*> found;
  for (const Quirk& quirk : kQuirks) {
    if (name == quirk.platform && device.find(quirk.device) != std::string::npos && in_range(driver, quirk.from, quirk.until))
      found.push_back(&quirk);
  }
  return found;
}

std::vector<std::string> features_off() {
  std::vector<std::string> names;
  const char* value = std::getenv("ONCILLA_FEATURES_OFF");
  std::istringstream list(value != nullptr ? value : "");
  for (std::string name; std::getline(list, name, ',');) {
    if (Features().find(name) == nullptr) {
      std::string known;
      for (const char* feature : kFeatureNames) known += (known.empty() ? "" : ", ") + std::string(feature);
      throw kit::Error(ONC_INVALID_ARGUMENT,
                       kit::cat("[device_open] ONCILLA_FEATURES_OFF=", value, ": \"", name, "\" is no feature; there are ", known));
    }
    names.push_back(name);
  }
  return names;
}

}  // namespace oncilla::ocl
