// The tuning database: which variant and parameters an op uses on a device. Rows are data: tuning/*.json of this folder, and the
// user's file, which `oncilla tune` writes in the same form (docs/tuning.md). There is no other place where a choice depends on the
// device.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace oncilla::ocl {

class Device;

using TuningValues = std::map<std::string, int64_t, std::less<>>;

struct Tuning {
  std::vector<std::string> variants;  // of the rows, the most specific first; behind them the op's own order of preference
  TuningValues params;
  // ONC_INTERNAL where no row has it: a row for any device names every parameter.
  int64_t get(std::string_view name) const;
  int64_t get(std::string_view name, int64_t otherwise) const;
};

// A parameter of an op.
struct TuningParameter {
  std::string name;
  std::vector<std::string> variants;  // that read it; empty: all
  std::vector<int64_t> values;        // that may be tried, forced or stand in a user's row; empty: none
  bool serves(std::string_view variant) const;
};

// What a row's device is compared with.
struct DeviceIdentity {
  std::string device_class, platform, vendor, name, driver;  // class: cpu, integrated, discrete, other
};

// The rows of one device. Of those that match an op, dtype and shape class, the more specific go over the others, each parameter by
// itself: first by device (name, then vendor or platform, then class, then any), then by shape class, then by dtype; of equals the
// last.
class TuningRows {
 public:
  // file: the user's rows; "": none. "only:" before it: of the shipped rows only those for any device. What is wrong in the user's
  // file makes a warning, and the row is left out.
  TuningRows(const DeviceIdentity& identity, const std::string& file);

  Tuning find(std::string_view op, std::string_view dtype, std::string_view shape_class) const;
  const std::vector<TuningParameter>& parameters(std::string_view op) const;
  const std::string& warnings() const { return warnings_; }  // a line each

 private:
  struct Row {
    std::string op, dtype, shape_class, variant;
    int device_score;
    TuningValues params;
  };
  class Reader;

  std::map<std::string, std::vector<TuningParameter>, std::less<>> parameters_;
  std::vector<Row> rows_;
  std::string warnings_;
};

// Where the user's rows are: the option of device_open, else ONCILLA_TUNING, else oncilla/tuning.json in the user's configuration
// folder ($XDG_CONFIG_HOME, or ~/.config) if it exists. "": nowhere.
std::string tuning_file(const char* option);

// "" if these parameters may be forced, else what is wrong with them.
std::string check_parameters(const std::vector<TuningParameter>& known, std::string_view op, std::string_view variant,
                             const TuningValues& params);

// The rows of the device for op, dtype (ONC_*) and shape class, put together.
Tuning tuning(const Device& device, std::string_view op, uint32_t dtype, std::string_view shape_class);

}  // namespace oncilla::ocl
