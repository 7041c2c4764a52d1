// The loader against files that are no plugins, or bad ones: always an Error that names the path, never a crash, never a search.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "border.hpp"

namespace {

namespace fs = std::filesystem;

// A folder of the test's own, removed at the end.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (fs::temp_directory_path() / "oncilla_abi_XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TempFolder() { fs::remove_all(path_); }
  std::string file(const std::string& name, const std::string& bytes) const {
    const fs::path path = path_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Loading fails with a message that names the file and has `fragment`.
void check_refused(const std::string& path, const std::string& fragment, uint32_t code) {
  CAPTURE(path);
  try {
    oncilla::Backend::load(path);
    FAIL("was loaded");
  } catch (const oncilla::Error& e) {
    CAPTURE(std::string(e.what()));
    CHECK(std::string(e.what()).find(fragment) != std::string::npos);
    CHECK(std::string(e.what()).find(fs::path(path).filename().string()) != std::string::npos);
    CHECK(e.code() == code);
  }
}

template <class T>
std::string patched(std::string bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
  return bytes;
}

}  // namespace

TEST_CASE("a plugin loads once") {
  const auto first = oncilla::Backend::load(plugin_path("null"));
  CHECK(first == oncilla::Backend::load(plugin_path("null")));
  CHECK(first->name() == "null");
  CHECK(first->device_count() == 2);
  CHECK(std::string(first->device_info(1).name) == "nothing");
  CHECK(std::string(first->device_info(1).vendor) == "");
}

TEST_CASE("paths are explicit") {
  const TempFolder folder;
  fs::copy_file(plugin_path("null"), folder.path() / "libtest_plugin_null.so");
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  setenv("LD_LIBRARY_PATH", folder.path().c_str(), 1);
  check_refused("libtest_plugin_null.so", "not an absolute path", ONC_INVALID_ARGUMENT);
  check_refused("./libtest_plugin_null.so", "not an absolute path", ONC_INVALID_ARGUMENT);
  CHECK_THROWS_AS(oncilla::Backend::load(""), oncilla::Error);
  CHECK_THROWS_AS(oncilla::Backend::named("test_plugin_null/../x"), oncilla::Error);
  CHECK_THROWS_AS(oncilla::Backend::named("no_such_plugin"), oncilla::Error);
  unsetenv("LD_LIBRARY_PATH");
  fs::current_path(before);
}

TEST_CASE("files that are no plugins") {
  const TempFolder folder;
  check_refused((folder.path() / "absent.so").string(), "No such file", ONC_NOT_FOUND);
  check_refused(folder.path().string(), "not a regular file", ONC_INVALID_ARGUMENT);
  check_refused(folder.file("empty.so", ""), "is empty", ONC_INVALID_ARGUMENT);
  check_refused(
      folder.file("text.so", "This is a text file with a misleading name, and longer than the identification of a library.\n"),
      "not a shared object", ONC_INVALID_ARGUMENT);
  check_refused(folder.file("script.so", "GROUP ( libc.so.6 )\n"), "not a shared object", ONC_INVALID_ARGUMENT);
  check_refused(plugin_path("no_entry"), "no symbol onc_get_api_v1", ONC_INVALID_ARGUMENT);
  check_refused(plugin_path("unresolved"), "a_function_that_does_not_exist", ONC_INVALID_ARGUMENT);
}

TEST_CASE("a plugin that was cut off is refused, wherever the cut is") {
  const TempFolder folder;
  const std::string whole = read_file(plugin_path("null"));
  REQUIRE(whole.size() > 5000);
  std::vector<size_t> lengths = {1, 3, 4, 15, 16, 17, 63, 64, 65, 100, 500, 4095, 4096, 4097, whole.size() - 1, whole.size() - 64};
  for (size_t i = 1; i < 16; ++i) lengths.push_back(whole.size() / 16 * i);
  for (const size_t length : lengths) {
    const std::string name = std::to_string(length) + "_bytes.so";
    check_refused(folder.file(name, whole.substr(0, length)), length < 4 ? "not a shared object" : "truncated",
                  ONC_INVALID_ARGUMENT);
  }
}

TEST_CASE("damaged headers") {
  const TempFolder folder;
  const std::string whole = read_file(plugin_path("null"));
  check_refused(folder.file("class.so", patched<char>(whole, 4, 1)), "another kind of machine", ONC_INVALID_ARGUMENT);
  check_refused(folder.file("order.so", patched<char>(whole, 5, 2)), "another kind of machine", ONC_INVALID_ARGUMENT);
  check_refused(folder.file("executable.so", patched<uint16_t>(whole, 16, 2)), "its ELF type is 2", ONC_INVALID_ARGUMENT);
  check_refused(folder.file("phoff.so", patched<uint64_t>(whole, 32, ~0ull - 8)), "truncated: its program header table",
                ONC_INVALID_ARGUMENT);
  check_refused(folder.file("shoff.so", patched<uint64_t>(whole, 40, ~0ull)), "truncated: its section table", ONC_INVALID_ARGUMENT);
  check_refused(folder.file("phentsize.so", patched<uint16_t>(whole, 54, 8)), "program headers of 8 bytes", ONC_INVALID_ARGUMENT);
  check_refused(folder.file("phnum.so", patched<uint16_t>(whole, 56, 0)), "nothing to load", ONC_INVALID_ARGUMENT);
  check_refused(folder.file("phnum_large.so", patched<uint16_t>(whole, 56, 0xffff)), "truncated: its ", ONC_INVALID_ARGUMENT);
}

TEST_CASE("bad entries") {
  check_refused(plugin_path("entry_null"), "gave no table", ONC_INVALID_ARGUMENT);
  check_refused(plugin_path("entry_throws"), "thrown by the entry", ONC_INTERNAL);
  check_refused(plugin_path("entry_throws_int"), "onc_get_api_v1 threw", ONC_INTERNAL);
  check_refused(plugin_path("size_zero"), "0 bytes", ONC_INVALID_ARGUMENT);
  check_refused(plugin_path("wrong_major"), "major version 2", ONC_INVALID_ARGUMENT);
}
