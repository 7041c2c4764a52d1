// The tuning database: parses the rows of tuning/*.def once and finds the most specific one. It knows nothing of what the
// parameters mean.
#include "runtime/tuning.hpp"

#include <algorithm>
#include <vector>

#include "kit/desc.hpp"
#include "runtime/device.hpp"

namespace oncilla::ocl {
namespace {

struct RowText {
  const char *op, *device, *dtype, *shape_class, *variant, *params;
};

constexpr RowText kRows[] = {
#define ONC_TUNING(op, device, dtype, shape_class, variant, params) {op, device, dtype, shape_class, variant, params},
#include "tuning/attention.def"
#include "tuning/defaults.def"
#include "tuning/expr.def"
#include "tuning/index.def"
#include "tuning/ops.def"
#undef ONC_TUNING
};

struct Row {
  RowText key;
  Tuning value;
};

// "TM=14 TN=32" to a map. A malformed item is a defect of a row, so it is reported, not skipped.
Tuning parse_row(const RowText& row) {
  Tuning tuning;
  tuning.variant = row.variant;
  const std::string text = row.params;
  for (size_t begin = text.find_first_not_of(' '); begin != std::string::npos; begin = text.find_first_not_of(' ', begin)) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const size_t equals = text.find('=', begin);
    if (equals == std::string::npos || equals >= end)
      throw kit::Error(ONC_INTERNAL,
                       kit::cat("[tuning] row of ", row.op, ": '", text.substr(begin, end - begin), "' is not NAME=value"));
    tuning.params[text.substr(begin, equals - begin)] = std::stoll(text.substr(equals + 1, end - equals - 1));
    begin = end;
  }
  return tuning;
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = [] {
    std::vector<Row> parsed;
    for (const RowText& row : kRows) parsed.push_back({row, parse_row(row)});
    return parsed;
  }();
  return all;
}

const char* class_key(uint32_t device_class) {
  switch (device_class) {
    case ONC_CLASS_CPU:
      return "class:cpu";
    case ONC_CLASS_INTEGRATED:
      return "class:integrated";
    case ONC_CLASS_DISCRETE:
      return "class:discrete";
    default:
      return "class:other";
  }
}

// 0: does not match; 1: any; 2: exact.
int match(std::string_view key, std::string_view value) { return key == value && !key.empty() ? 2 : key.empty() ? 1 : 0; }

}  // namespace

int64_t Tuning::get(std::string_view name, int64_t otherwise) const {
  const auto found = params.find(name);
  return found == params.end() ? otherwise : found->second;
}

const Tuning& tuning(const Device& device, std::string_view op, uint32_t dtype, std::string_view shape_class) {
  static const Tuning none;
  const std::string name = "name:" + device.id().getInfo<CL_DEVICE_NAME>();
  const std::string_view type = class_key(device.device_class());
  const Tuning* best = &none;
  int best_score = 0;
  for (const Row& row : rows()) {
    if (row.key.op != op) continue;
    const std::string_view key = row.key.device;
    const int by_device = key == name ? 3 : key == type ? 2 : key.empty() ? 1 : 0;
    const int by_shape = match(row.key.shape_class, shape_class);
    const int by_dtype = match(row.key.dtype, kit::dtype_name(dtype));
    if (by_device == 0 || by_shape == 0 || by_dtype == 0) continue;
    const int score = by_device * 16 + by_shape * 4 + by_dtype;
    if (score >= best_score) best = &row.value, best_score = score;
  }
  return *best;
}

}  // namespace oncilla::ocl
