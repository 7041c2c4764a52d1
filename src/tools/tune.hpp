// The parts of `oncilla tune`. The process that the user started calls no driver: lists, searches and checks run in workers, which
// may crash or hang, and print a line of JSON for each thing they begin or find.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace oncilla::tools {

struct TuneOptions {
  uint32_t device = 0;  // of `oncilla devices`
  std::vector<std::string> ops, dtypes = {"float32"};
  double budget = 20;  // minutes
  double limit = 120;  // seconds without a word after which a worker is stopped
  std::string file;    // where rows go; "": the user's own
  std::string import;  // a file whose rows are taken over after a check
  bool check = false, again = false, scratch = false, quiet = false;

  // Of a worker.
  std::string step, candidate;
  std::vector<size_t> workloads;     // places in the list of workloads
  std::vector<std::string> skipped;  // candidates that are not to be tried
  double seconds = 60;
};

using Json = nlohmann::ordered_json;

// What a worker does; the exit status.
int tune_work(const TuneOptions& options);

// A variant with parameters, as it is forced: "tile:KC=256,TM=8".
std::string candidate_name(const Json& row);
std::string variant_of(const std::string& candidate);
Json parameters_of(const std::string& candidate);

// The user's file of rows (docs/tuning.md). Every change is written at once, whole, under another name, and renamed.
class TuneFile {
 public:
  // A file that is not there is empty; one that is no such file is an error, so that nothing of it is lost.
  explicit TuneFile(std::string path);
  static std::string usual_path();
  const std::string& path() const { return path_; }
  const Json& rows() const { return json_["rows"]; }

  // Whether a group (op, dtype, shape class, of a device) was tuned by this version, and what is wrong there.
  bool tuned(const Json& group) const;
  std::vector<std::string> quarantined(const Json& group) const;

  void add_tuned(const Json& group, const Json* row);  // row: what won; nullptr: the choice stays
  void add_quarantined(Json entry);

 private:
  void write() const;
  std::string path_;
  Json json_;
};

}  // namespace oncilla::tools
