#include "tools/doctor_report.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace oncilla::tools {
namespace {

constexpr const char* kLevels[] = {"ok", "note", "warning", "problem"};

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; }

// Where `name` stands alone, not as a part of a longer word.
std::string replaced(std::string text, const std::string& name, const std::string& by) {
  for (size_t at = 0; (at = text.find(name, at)) != std::string::npos;) {
    const size_t end = at + name.size();
    const bool alone = (at == 0 || !in_word(text[at - 1]) || !in_word(name.front())) && (end == text.size() || !in_word(text[end]));
    if (alone) text.replace(at, name.size(), by);
    at += alone ? by.size() : name.size();
  }
  return text;
}

}  // namespace

// The user "root" has no name to hide; a folder "/" is no home.
DoctorReport::DoctorReport() {
  const auto hide = [&](std::string name, const char* by) {
    while (name.size() > 1 && name.back() == '/') name.pop_back();
    if (name.size() > 1 && name != "root" && name != "localhost") names_.emplace_back(std::move(name), by);
  };
  const passwd* user = getpwuid(geteuid());
  if (const char* home = std::getenv("HOME")) hide(home, "~");
  if (user != nullptr && user->pw_dir != nullptr && user->pw_dir[0] == '/') hide(user->pw_dir, "~");
  if (user != nullptr && user->pw_name != nullptr) hide(user->pw_name, "USER");
  for (const char* variable : {"USER", "LOGNAME", "SUDO_USER"}) {
    if (const char* name = std::getenv(variable)) hide(name, "USER");
  }
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = 0;
  const char* variable = std::getenv("HOSTNAME");
  for (const std::string name : {std::string(host.data()), std::string(variable != nullptr ? variable : "")}) {
    hide(name, "HOST");
    hide(name.substr(0, name.find('.')), "HOST");  // without its domain
  }
}

std::string DoctorReport::cleaned(std::string text) const {
  for (const auto& [name, by] : names_) text = replaced(std::move(text), name, by);
  return text;
}

void DoctorReport::line(const std::string& text) {
  const std::string clean = cleaned(text);
  std::printf("%s\n", clean.c_str());
  std::fflush(stdout);
  all_ += clean + "\n";
}

void DoctorReport::section(const std::string& title) {
  line((section_.empty() ? "" : "\n") + title);
  section_ = title;
}

void DoctorReport::add(Level level, const std::string& text, const std::string& advice) {
  const auto indented = [](std::string lines) {
    for (size_t at = 0; (at = lines.find('\n', at)) != std::string::npos; at += 12) lines.replace(at, 1, "\n           ");
    return lines;
  };
  std::string trimmed = text;
  while (!trimmed.empty() && std::isspace(static_cast<unsigned char>(trimmed.back())) != 0) trimmed.pop_back();
  char label[16];
  std::snprintf(label, sizeof label, "  %-9s", kLevels[static_cast<size_t>(level)]);
  line(label + indented(trimmed));
  if (!advice.empty()) line("           -> " + indented(advice));
  found_.push_back({level, section_, trimmed});
  if (level == Level::problem && first_problem_.empty()) first_problem_ = trimmed.substr(0, trimmed.find('\n'));
}

void DoctorReport::detail(const std::string& title, const std::string& text) { details_.emplace_back(title, text); }

size_t DoctorReport::count(Level level) const {
  return static_cast<size_t>(std::count_if(found_.begin(), found_.end(), [&](const Found& f) { return f.level == level; }));
}

void DoctorReport::close() {
  const size_t problems = count(Level::problem), warnings = count(Level::warning);
  line("");
  if (!first_problem_.empty()) line("First problem: " + first_problem_);
  line(std::to_string(problems) + (problems == 1 ? " problem, " : " problems, ") + std::to_string(warnings) +
       (warnings == 1 ? " warning" : " warnings"));
}

void DoctorReport::write(const std::string& file) const {
  std::ofstream out(file);
  out << "# oncilla doctor\n\n```text\n" << all_ << "```\n";
  for (const auto& [title, text] : details_) out << "\n## " << cleaned(title) << "\n\n```text\n" << cleaned(text) << "\n```\n";
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

}  // namespace oncilla::tools
