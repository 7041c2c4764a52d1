#include "runtime/source.hpp"

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "kit/error.hpp"
#include "runtime/embedded.hpp"

namespace oncilla::ocl {

namespace {

// Texts over a type, which macros name: each include is for another one.
constexpr const char* kRepeated = "lib/special/";

std::string read_source(const std::string& path) {
  if (const char* dir = std::getenv("ONCILLA_KERNELS"); dir != nullptr && *dir != 0) {
    std::ifstream in(kit::cat(dir, "/", path), std::ios::binary);
    if (in) {
      std::ostringstream text;
      text << in.rdbuf();
      return text.str();
    }
  }
  for (const EmbeddedFile& source : kernel_sources()) {
    if (path == source.path) return std::string(source.text, source.bytes);
  }
  throw kit::Error(ONC_NOT_FOUND, kit::cat("[program] there is no kernel file ", path));
}

// The quoted name of an #include line, or "".
std::string included(const std::string& line) {
  const size_t hash = line.find_first_not_of(" \t");
  if (hash == std::string::npos || line.compare(hash, 8, "#include") != 0) return "";
  const size_t open = line.find('"', hash), close = line.find('"', open + 1);
  return open == std::string::npos || close == std::string::npos ? "" : line.substr(open + 1, close - open - 1);
}

void append(const std::string& name, const std::string& text, std::set<std::string>& seen, std::string& out) {
  const auto mark = [&](int line) { out += kit::cat("#line ", line, " \"", name, "\"\n"); };
  std::istringstream lines(text);
  mark(1);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (const std::string file = included(line); file.empty()) {
      out += line + "\n";
    } else if (seen.insert(file).second || file.starts_with(kRepeated)) {
      append(file, read_source(file), seen, out);
      mark(number + 1);
    }
  }
}

}  // namespace

std::string assemble_source(const std::string& prelude, const std::string& path) {
  std::set<std::string> seen = {path};
  std::string out;
  if (!prelude.empty()) append("generated", prelude, seen, out);
  append(path, read_source(path), seen, out);
  return out;
}

}  // namespace oncilla::ocl
