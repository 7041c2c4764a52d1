// The list of excused runs.
#include "ops/exceptions.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "ops/report.hpp"

namespace oncilla::test {
namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

Exceptions::Exceptions(const std::string& file) {
  if (file.empty()) return;
  std::ifstream in(file);
  if (!in) throw std::invalid_argument("cannot read " + file);
  try {
    for (const nlohmann::json& j : nlohmann::json::parse(in)) {
      rows_.push_back({j.at("implementation"), j.at("op"), j.at("case"), j.at("variant"), j.at("proof")});
      const Row& row = rows_.back();
      if (row.implementation.empty() || row.match.empty() || row.proof.empty())
        throw std::invalid_argument("a row without an implementation, a case or a proof");
    }
  } catch (const std::exception& error) {
    throw std::invalid_argument(file + ": " + error.what());
  }
}

bool Exceptions::concerns(const Row& row, const Subject& subject) {
  return holds(subject.device, row.implementation) || holds(subject.driver, row.implementation);
}

void Exceptions::apply(const Subject& subject, const Case& c, Result& result) const {
  const auto row = std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) {
    return concerns(r, subject) && r.op == op_name(c.op) && holds(c.name, r.match) &&
           (r.variant.empty() || r.variant == result.variant);
  });
  if (row == rows_.end()) return;
  if (result.state == Result::State::failed) {
    result.state = Result::State::excused;
    result.message += " (" + row->proof + ")";
  } else if (result.state == Result::State::passed) {
    result.state = Result::State::failed;
    result.message = "passes, although the list of exceptions excuses it: " + row->proof;
  }
}

std::vector<std::string> Exceptions::stale(const Subject& subject, const Cases& all) const {
  std::vector<std::string> problems;
  for (const Row& row : rows_) {
    if (!concerns(row, subject)) continue;
    const bool found =
        std::any_of(all.begin(), all.end(), [&](const Case& c) { return row.op == op_name(c.op) && holds(c.name, row.match); });
    if (!found) problems.push_back("the list of exceptions: no case of " + row.op + " is named \"" + row.match + "\"");
  }
  return problems;
}

}  // namespace oncilla::test
