#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tools/tune.hpp"

namespace oncilla::tools {
namespace {

namespace fs = std::filesystem;

constexpr int kFormat = 1;
constexpr const char* kKey[] = {"op", "device", "dtype", "shape_class"};

bool same_group(const Json& a, const Json& b) {
  for (const char* field : kKey) {
    if (a.value(field, Json()) != b.value(field, Json())) return false;
  }
  return true;
}

Json key_of(const Json& group) {
  Json key;
  for (const char* field : kKey) {
    if (group.contains(field)) key[field] = group[field];
  }
  return key;
}

}  // namespace

std::string candidate_name(const Json& row) {
  std::string text = row.at("variant");
  char between = ':';
  const Json parameters = row.value("parameters", Json::object());
  for (const auto& [name, value] : parameters.items()) {
    text += between + name + "=" + std::to_string(value.get<int64_t>());
    between = ',';
  }
  return text;
}

std::string variant_of(const std::string& candidate) { return candidate.substr(0, candidate.find(':')); }

Json parameters_of(const std::string& candidate) {
  Json parameters = Json::object();
  for (size_t at = candidate.find(':'); at != std::string::npos;) {
    const size_t end = candidate.find(',', at + 1), equals = candidate.find('=', at + 1);
    parameters[candidate.substr(at + 1, equals - at - 1)] = std::stoll(candidate.substr(equals + 1));
    at = end;
  }
  return parameters;
}

std::string TuneFile::usual_path() {
  const char *config = std::getenv("XDG_CONFIG_HOME"), *home = std::getenv("HOME");
  if (config != nullptr && *config != 0) return fs::path(config) / "oncilla" / "tuning.json";
  if (home != nullptr && *home != 0) return fs::path(home) / ".config" / "oncilla" / "tuning.json";
  throw std::runtime_error("neither XDG_CONFIG_HOME nor HOME is set: name a file by --file");
}

TuneFile::TuneFile(std::string path) : path_(std::move(path)) {
  json_ = {{"format", kFormat}, {"rows", Json::array()}, {"tuned", Json::array()}, {"quarantine", Json::array()}};
  if (!fs::exists(path_)) return;
  std::ifstream in(path_);
  const Json found = Json::parse(in, nullptr, false);
  if (!found.is_object() || !found.contains("format") || found["format"] != kFormat || !found.value("rows", Json()).is_array())
    throw std::runtime_error(path_ + " is no tuning file of format " + std::to_string(kFormat) +
                             ": it is left as it is; name another one by --file");
  json_.update(found);
}

bool TuneFile::tuned(const Json& group) const {
  for (const Json& entry : json_["tuned"]) {
    if (same_group(entry, group) && entry.value("oncilla", "") == ONC_VERSION) return true;
  }
  return false;
}

std::vector<std::string> TuneFile::quarantined(const Json& group) const {
  std::vector<std::string> names;
  for (const Json& entry : json_["quarantine"]) {
    if (same_group(entry, group)) names.push_back(candidate_name(entry));
  }
  return names;
}

void TuneFile::add_tuned(const Json& group, const Json* row) {
  for (const char* list : {"rows", "tuned"}) {
    Json kept = Json::array();
    for (const Json& entry : json_[list]) {
      if (!same_group(entry, group)) kept.push_back(entry);
    }
    json_[list] = std::move(kept);
  }
  Json done = key_of(group);
  done["oncilla"] = ONC_VERSION;
  json_["tuned"].push_back(std::move(done));
  if (row != nullptr) json_["rows"].push_back(*row);
  write();
}

void TuneFile::add_quarantined(Json entry) {
  json_["quarantine"].push_back(std::move(entry));
  write();
}

// Lists have an entry a line, so that files can be compared and put together by hand.
void TuneFile::write() const {
  std::string text = "{\n \"format\": " + std::to_string(kFormat);
  for (const char* list : {"rows", "tuned", "quarantine"}) {
    text += std::string(",\n \"") + list + "\": [";
    const char* before = "\n  ";
    for (const Json& entry : json_[list]) {
      text += before + entry.dump(-1, ' ', false, Json::error_handler_t::replace);
      before = ",\n  ";
    }
    text += "]";
  }
  text += "\n}\n";
  const fs::path path = path_;
  if (path.has_parent_path()) fs::create_directories(path.parent_path());
  const std::string beside = path_ + "." + std::to_string(getpid());
  const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  bool written = fd >= 0;
  for (size_t at = 0; written && at < text.size();) {
    const ssize_t n = ::write(fd, text.data() + at, text.size() - at);
    written = n > 0;
    at += written ? static_cast<size_t>(n) : 0;
  }
  written = written && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  if (!written || rename(beside.c_str(), path_.c_str()) != 0) {
    unlink(beside.c_str());
    throw std::runtime_error("cannot write " + path_);
  }
}

}  // namespace oncilla::tools
