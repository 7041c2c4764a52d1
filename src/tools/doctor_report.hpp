// What `oncilla doctor` has found: lines in sections, printed as they come, and kept for the file. Home folder, user and host names
// are replaced in all of it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace oncilla::tools {

enum class Level : uint8_t { ok, note, warning, problem };  // ONC_FINDING_*

class DoctorReport {
 public:
  DoctorReport();
  void section(const std::string& title);
  void add(Level level, const std::string& text, const std::string& advice = "");
  void ok(const std::string& text) { add(Level::ok, text); }
  void note(const std::string& text) { add(Level::note, text); }
  // For the file alone: a heading and text as it is.
  void detail(const std::string& title, const std::string& text);
  size_t count(Level level) const;
  void close();  // the last lines
  // Markdown. Throws std::runtime_error if it cannot be written.
  void write(const std::string& file) const;

 private:
  std::string cleaned(std::string text) const;
  void line(const std::string& text);
  struct Found {
    Level level;
    std::string section, text;
  };
  std::vector<Found> found_;
  std::string section_, first_problem_, all_;
  std::vector<std::pair<std::string, std::string>> details_;
  std::vector<std::pair<std::string, std::string>> names_;  // what to replace, by what
};

}  // namespace oncilla::tools
