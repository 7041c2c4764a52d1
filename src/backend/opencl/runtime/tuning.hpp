// The tuning database: which variant and parameters an op uses on a device. Rows are data (src/backend/opencl/tuning/*.def); a
// device that nobody tuned takes its class's default row. There is no other place where a choice depends on the device.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace oncilla::ocl {

class Device;

struct Tuning {
  std::string variant;  // "" = the op's own order of preference
  std::map<std::string, int64_t, std::less<>> params;
  int64_t get(std::string_view name, int64_t otherwise) const;
};

// The best row for op, dtype (ONC_*) and shape class ("" or, for matmul, for example "small", "skinny"): the most specific match of
// device name, then device class, then any.
const Tuning& tuning(const Device& device, std::string_view op, uint32_t dtype, std::string_view shape_class);

}  // namespace oncilla::ocl
