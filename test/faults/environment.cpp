// What the environment decides when the library is loaded: each case runs this program anew, with one of the "child" cases alone.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "../unit/failure.hpp"
#include "../unit/fake.hpp"
#include "core/address_map.hpp"
#include "core/op.hpp"
#include "core/trace.hpp"

using namespace oncilla;
using test::has;

namespace {

constexpr const char* kReference = ONC_TEST_LIB_DIR "/liboncilla_reference.so";

// The exit status of `case_name` in a process of its own.
int rerun(const std::string& case_name, const std::vector<std::pair<const char*, std::string>>& environment) {
  const std::string filter = "--test-case=" + case_name;
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(120);
    for (const auto& [name, value] : environment) ::setenv(name, value.c_str(), 1);
    ::execl("/proc/self/exe", "test_faults", filter.c_str(), "--no-skip", nullptr);
    ::_exit(127);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string all(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

// A file of this process in the temporary folder, removed at the end.
struct File {
  std::string path = (std::filesystem::temp_directory_path() / ("oncilla_faults_" + std::to_string(::getpid()))).string();
  ~File() { std::remove(path.c_str()); }
  std::string text() const {
    std::ifstream in(path);
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
  }
};

}  // namespace

TEST_CASE("child registry" * doctest::skip()) {
  Registry& registry = Registry::get();
  REQUIRE(registry.entries().size() == 1);
  CHECK(registry.entries()[0].backend->name() == "reference");
  CHECK(has(all(registry.problems()), "/nonexistent/liboncilla_x.so"));
  CHECK(has(all(registry.problems()), "'relative.so' is not an absolute path"));
  const auto device = registry.device(0);
  CHECK(registry.device(0) == device);
  CHECK_THROWS_WITH_AS(registry.device(1), doctest::Contains("no device 1; found 1"), Error);
}

TEST_CASE("environment: ONCILLA_PLUGINS and ONCILLA_DEVICES") {
  // The same plugin twice is one.
  const std::string plugins = std::string(kReference) + ":/nonexistent/liboncilla_x.so:relative.so:" + kReference;
  CHECK(rerun("child registry", {{"ONCILLA_PLUGINS", plugins}, {"ONCILLA_DEVICES", "0"}}) == 0);
}

TEST_CASE("child bad selection" * doctest::skip()) {
  Registry& registry = Registry::get();
  CHECK(registry.entries().empty());
  CHECK_THROWS_WITH_AS(registry.device(0), doctest::Contains("ONCILLA_DEVICES=gpu: 'gpu' is not a device number"), Error);
}

TEST_CASE("environment: a selection that cannot be met selects nothing") {
  CHECK(rerun("child bad selection", {{"ONCILLA_PLUGINS", kReference}, {"ONCILLA_DEVICES", "gpu"}}) == 0);
}

TEST_CASE("child traced" * doctest::skip()) {
  CHECK(Trace::get().on());
  fake::reset();
  auto device = fake::device();
  auto queue = device->create_queue(true);
  for (int i = 0; i < 3; ++i) Op(ONC_OP_SOFTMAX).run(*queue);
  queue->finish();
  if (::fork() == 0) std::exit(0);  // leaves through the exit handlers, which must not write here
}

TEST_CASE("environment: ONCILLA_TRACE writes at exit") {
  const File file;
  CHECK(rerun("child traced", {{"ONCILLA_TRACE", file.path}}) == 0);
  const std::string text = file.text();
  CHECK(has(text, "\"cat\":\"host\""));
  CHECK(has(text, "\"cat\":\"device\""));
  CHECK(has(text, "\n]}\n"));
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::temp_directory_path())) {
    CHECK_FALSE(has(entry.path().string(), file.path + ".tmp"));  // nothing half-written is left
  }
}

TEST_CASE("environment: ONCILLA_TRACE that cannot be written does not end the program otherwise") {
  CHECK(rerun("child traced", {{"ONCILLA_TRACE", "/nonexistent/trace.json"}}) == 0);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they reserve terabytes themselves
TEST_CASE("child limited" * doctest::skip()) {
  rlimit limit{uint64_t{6} << 30, uint64_t{6} << 30};
  REQUIRE(::setrlimit(RLIMIT_AS, &limit) == 0);
  AddressMap& map = AddressMap::get();
  void* base = map.insert(nullptr, nullptr, 1 << 20);
  CHECK(map.find(base).has_value());
  CHECK_THROWS_WITH_AS(map.insert(nullptr, nullptr, uint64_t{7} << 30), doctest::Contains("7516192768 bytes do not fit"), Error);
}

TEST_CASE("child starved" * doctest::skip()) {
  rlimit limit{uint64_t{1} << 29, uint64_t{1} << 29};
  REQUIRE(::setrlimit(RLIMIT_AS, &limit) == 0);
  CHECK_THROWS_WITH_AS(AddressMap::get().insert(nullptr, nullptr, 1), doctest::Contains("ulimit -v"), Error);
}

TEST_CASE("environment: a limited address space gives a smaller range, or an error") {
  CHECK(rerun("child limited", {}) == 0);
  CHECK(rerun("child starved", {}) == 0);
}
#endif
