// Reads rows, and puts together those that match. It knows nothing of what the parameters mean.
#include "runtime/tuning.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "kit/desc.hpp"
#include "runtime/device.hpp"
#include "runtime/embedded.hpp"
#include "runtime/quirks.hpp"

namespace oncilla::ocl {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;  // of the user's file
constexpr const char* kOnly = "only:";

// More for a narrower key; 0: another device.
int device_score(const Json& key, const DeviceIdentity& is) {
  if (key.is_null()) return 1;
  const struct {
    const char* field;
    const std::string& value;
    int score;
  } fields[] = {{"class", is.device_class, 1}, {"platform", is.platform, 2}, {"vendor", is.vendor, 2}, {"name", is.name, 8}};
  int score = 1;
  for (const auto& [field, value] : key.items()) {
    if (field == "driver_from" || field == "driver_until") continue;
    const auto found = std::find_if(std::begin(fields), std::end(fields), [&](const auto& f) { return field == f.field; });
    if (found == std::end(fields)) throw std::runtime_error("a device has no \"" + field + "\"");
    if (value.get<std::string>() != found->value) return 0;
    score += found->score;
  }
  const std::string from = key.value("driver_from", ""), until = key.value("driver_until", "");
  return in_range(is.driver, from, until) ? score : 0;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw std::runtime_error("cannot be read");
  return text.str();
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

template <class T>
std::string joined(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) text += kit::cat(text.empty() ? "" : " ", value);
  return text;
}

}  // namespace

int64_t Tuning::get(std::string_view name) const {
  const auto found = params.find(name);
  if (found == params.end()) throw kit::Error(ONC_INTERNAL, kit::cat("[tuning] no row has the parameter ", name));
  return found->second;
}

int64_t Tuning::get(std::string_view name, int64_t otherwise) const {
  const auto found = params.find(name);
  return found == params.end() ? otherwise : found->second;
}

bool TuningParameter::serves(std::string_view variant) const { return variants.empty() || has(variants, variant); }

std::string check_parameters(const std::vector<TuningParameter>& known, std::string_view op, std::string_view variant,
                             const TuningValues& params) {
  for (const auto& [name, value] : params) {
    std::vector<std::string> names;
    const TuningParameter* parameter = nullptr;
    for (const TuningParameter& p : known) {
      if (p.values.empty() || !p.serves(variant)) continue;
      names.push_back(p.name);
      if (p.name == name) parameter = &p;
    }
    if (parameter == nullptr)
      return kit::cat("variant '", variant, "' of ", op, " has no parameter ", name, "; it has: ", joined(names));
    const auto& values = parameter->values;
    if (std::find(values.begin(), values.end(), value) == values.end())
      return kit::cat(name, "=", value, " of variant '", variant, "' of ", op, " is none of ", joined(values));
  }
  return "";
}

class TuningRows::Reader {
 public:
  Reader(TuningRows& into, const DeviceIdentity& identity) : into_(into), identity_(identity) {}

  // What ops have: shape classes are only text, for people.
  void ops(const Json& ops) {
    for (const auto& [name, op] : ops.items()) {
      auto& parameters = into_.parameters_[name];
      if (op.contains("as")) parameters = into_.parameters_.at(op["as"].get<std::string>());
      if (!op.contains("parameters")) continue;
      parameters.clear();
      for (const Json& p : op["parameters"])
        parameters.push_back(
            {p.at("name"), p.value("variants", std::vector<std::string>()), p.value("values", std::vector<int64_t>())});
    }
  }

  // Rows of other devices are skipped, and with `any`, all that name a device.
  void shipped(const Json& rows, bool any) {
    for (const Json& json : rows) {
      if (!any || !json.contains("device")) add(json, 0);
    }
  }

  // A row that does not fit this version is left out.
  void own(const Json& rows, const std::string& path) {
    for (const Json& json : rows) {
      try {
        const std::string op = json.at("op"), variant = json.at("variant");
        if (!into_.parameters_.contains(op)) throw std::runtime_error("\"" + op + "\" has no rows");
        const std::string wrong = check_parameters(into_.parameters_.at(op), op, variant, json.value("parameters", TuningValues()));
        if (!wrong.empty()) throw std::runtime_error(wrong);
        add(json, kOwn);
      } catch (const std::exception& error) {
        warn(path, kit::cat("a row is left out: ", error.what(), ": ", json.dump()));
      }
    }
  }

  void warn(const std::string& path, const std::string& what) {
    into_.warnings_ += kit::cat("tuning file ", path, ": ", what, "\n");
  }

 private:
  static constexpr int kOwn = 16;  // a user's row goes over every shipped one that matches the same

  void add(const Json& json, int more) {
    const int score = device_score(json.contains("device") ? json["device"] : Json(), identity_);
    if (score == 0) return;
    into_.rows_.push_back({json.at("op"), json.value("dtype", ""), json.value("shape_class", ""), json.value("variant", ""),
                           score + more, json.value("parameters", TuningValues())});
  }

  TuningRows& into_;
  const DeviceIdentity& identity_;
};

TuningRows::TuningRows(const DeviceIdentity& identity, const std::string& file) {
  const bool only = file.starts_with(kOnly);
  const std::string path = only ? file.substr(std::string_view(kOnly).size()) : file;
  Reader reader(*this, identity);
  for (const EmbeddedFile& source : tuning_sources()) {
    const Json json = Json::parse(source.text, source.text + source.bytes);
    reader.ops(json.at("ops"));
    reader.shipped(json.at("rows"), only);
  }
  if (path.empty()) return;
  try {
    const Json json = Json::parse(read_file(path));
    if (const int format = json.at("format"); format != kFormat)
      throw std::runtime_error(kit::cat("its format is ", format, ", and this version of Oncilla reads ", kFormat));
    reader.own(json.at("rows"), path);
  } catch (const std::exception& error) {
    reader.warn(path, kit::cat("it is not used: ", error.what()));
  }
}

Tuning TuningRows::find(std::string_view op, std::string_view dtype, std::string_view shape_class) const {
  std::vector<std::pair<int, const Row*>> matches;
  const auto score = [](std::string_view key, std::string_view value) { return key.empty() ? 0 : key == value ? 1 : -1; };
  for (const Row& row : rows_) {
    if (row.op != op) continue;
    const int by_shape = score(row.shape_class, shape_class), by_dtype = score(row.dtype, dtype);
    if (by_shape >= 0 && by_dtype >= 0) matches.emplace_back(row.device_score * 4 + by_shape * 2 + by_dtype, &row);
  }
  std::stable_sort(matches.begin(), matches.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Tuning tuning;
  for (const auto& [ignored, row] : matches) {
    if (!row->variant.empty()) tuning.variants.insert(tuning.variants.begin(), row->variant);
    for (const auto& [name, value] : row->params) tuning.params[name] = value;
  }
  return tuning;
}

const std::vector<TuningParameter>& TuningRows::parameters(std::string_view op) const {
  static const std::vector<TuningParameter> none;
  const auto found = parameters_.find(op);
  return found == parameters_.end() ? none : found->second;
}

std::string tuning_file(const char* option) {
  if (option != nullptr) return option;
  if (const char* named = std::getenv("ONCILLA_TUNING")) return named;
  const char *config = std::getenv("XDG_CONFIG_HOME"), *home = std::getenv("HOME");
  const std::filesystem::path folder = config != nullptr && *config != 0 ? std::filesystem::path(config)
                                       : home != nullptr && *home != 0   ? std::filesystem::path(home) / ".config"
                                                                         : std::filesystem::path();
  if (folder.empty()) return "";
  const std::filesystem::path path = folder / "oncilla" / "tuning.json";
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) ? path.string() : "";
}

Tuning tuning(const Device& device, std::string_view op, uint32_t dtype, std::string_view shape_class) {
  return device.tuning_rows().find(op, kit::dtype_name(dtype), shape_class);
}

}  // namespace oncilla::ocl
