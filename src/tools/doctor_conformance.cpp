// The part of `oncilla doctor` that runs the case tables: `oncilla conformance` in a process of its own, of each kind of case the
// smallest.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tools/child.hpp"
#include "tools/doctor_parts.hpp"

namespace oncilla::tools {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr size_t kNamed = 3;  // wrong ops that are shown with a case; the others by name

// A folder of our own, removed at the end.
struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "oncilla-doctor-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder in " + fs::temp_directory_path().string());
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

const Json* first_failure(const Json& results, const std::string& op) {
  for (const Json& r : results) {
    const std::string name = r["case"];
    if (r["result"] == "failed" && (name.rfind(op + "/", 0) == 0 || name.rfind(op + " ", 0) == 0)) return &r;
  }
  return nullptr;
}

void show(DoctorReport& report, const Json& document) {
  size_t named = 0;
  std::string others;
  std::string table;
  for (const auto& [op, counts] : document["ops"].items()) {
    const size_t failed = counts["failed"], passed = counts["passed"], declined = counts["declined"];
    table += op + ": " + std::to_string(passed) + " passed, " + std::to_string(failed) + " failed, " + std::to_string(declined) +
             " declined\n";
    if (failed == 0) continue;
    const Json* failure = first_failure(document["results"], op);
    if (failure == nullptr || named == kNamed) {
      others += (others.empty() ? "" : ", ") + op;
      continue;
    }
    const std::string variant = (*failure)["variant"];
    report.add(Level::problem,
               (named == 0 ? "the first wrong op is " : "wrong, too: ") + op + " (" + std::to_string(failed) + " of " +
                   std::to_string(failed + passed) + " runs): " + (*failure)["case"].get<std::string>() +
                   (variant.empty() ? "" : " [" + variant + "]") + ": " + (*failure)["message"].get<std::string>(),
               named == 0 ? "do not train on this device with this driver: try another version of it; `oncilla conformance --op " +
                                op + "` shows every case"
                          : "");
    ++named;
  }
  if (!others.empty()) report.add(Level::problem, "wrong, too: " + others);
  const Json& sum = document["together"];
  const size_t failed = sum["failed"], passed = sum["passed"], declined = sum["declined"];
  if (failed == 0 && passed > 0)
    report.ok(std::to_string(document["ops"].size()) + " ops: " + std::to_string(passed) + " runs agree with the reference");
  if (failed == 0 && passed == 0)
    report.add(Level::problem, "no case of these ops ran",
               "see why they are declined, or which ops `oncilla conformance --list` has");
  if (declined > 0) {
    std::string why;
    for (const auto& [op, counts] : document["ops"].items()) {
      for (const auto& [reason, n] : counts["declined_because"].items()) {
        if (why.empty()) why = ", for example: " + reason;
      }
    }
    report.note(std::to_string(declined) + " runs are declined on this device" + why);
  }
  report.detail("Ops", table);
  std::string failures;
  for (const Json& r : document["results"]) {
    if (r["result"] == "failed" && failures.size() < 20'000)
      failures +=
          r["case"].get<std::string>() + " [" + r["variant"].get<std::string>() + "]: " + r["message"].get<std::string>() + "\n";
  }
  if (!failures.empty()) report.detail("Wrong cases", failures);
}

}  // namespace

void examine_ops(DoctorReport& report, const DoctorOptions& options, const std::string& backend, uint32_t index) {
  const Folder folder;
  const std::string json = folder.path / "results.json";
  std::vector<std::string> arguments = {"conformance",
                                        "--backend",
                                        backend,
                                        "--device",
                                        std::to_string(index),
                                        "--json",
                                        json,
                                        "--smallest",
                                        options.full ? "16" : "1",
                                        "--jobs",
                                        std::to_string(std::min(4u, std::max(1u, std::thread::hardware_concurrency()))),
                                        "--limit",
                                        std::to_string(options.limit)};
  // What a training step is made of; --full takes every dtype.
  if (!options.full) arguments.insert(arguments.end(), {"--dtype", "float32,int64,int32,bool"});
  if (!options.ops.empty()) arguments.insert(arguments.end(), {"--op", joined(options.ops)});
  std::string failed;  // what is no case's
  const Ended ended = run_child(arguments, options.full ? 4 * 3600 : 3600, [&](const std::string& line) {
    if (line.rfind("FAILED ", 0) == 0 && line.find('/') == std::string::npos) failed = line.substr(7);
  });
  std::ifstream in(json);
  const Json document = Json::parse(in, nullptr, false);
  if (!ended.how.empty() || !document.is_object() || !document.contains("ops")) {
    report.add(Level::problem, "the case tables did not run: " + (ended.how.empty() ? ended.errors : "the process " + ended.how),
               "see the lines above");
    return;
  }
  show(report, document);
  if (!failed.empty())
    report.add(Level::problem, "beside the cases: " + failed, "update the driver, or report it to its makers with this line");
}

}  // namespace oncilla::tools
