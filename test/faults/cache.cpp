// The opencl plugin's folder of compiled programs and probe results: whatever is wrong with it, results stay right, and the device
// says so.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "core/allocator.hpp"
#include "core/device.hpp"
#include "core/op.hpp"
#include "core/tape.hpp"

using namespace oncilla;
namespace fs = std::filesystem;

namespace {

std::shared_ptr<Backend> opencl() {
  const std::string path = ONC_TEST_LIB_DIR "/liboncilla_opencl.so";
  return ::access(path.c_str(), F_OK) == 0 ? Backend::load(path) : nullptr;
}

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "oncilla_cache_XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() {
    ::chmod(path.c_str(), 0700);
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  std::vector<fs::path> entries() const { return {fs::directory_iterator(path), fs::directory_iterator()}; }
};

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }

// Opens the device with this folder, and checks that it computes. Gives its counters; the warnings are copied.
struct Outcome {
  onc_device_stats stats;
  std::string warnings;
};
Outcome use(const std::shared_ptr<Backend>& backend, const fs::path& cache) {
  const auto device = Device::open(backend, 0, cache.c_str());
  const auto queue = device->create_queue();
  const std::vector<float> x = {1, 2, 3};
  const std::vector<int64_t> dims = {3}, strides = {1};
  const Block block = device->allocator().allocate(sizeof(float) * x.size(), *queue);
  queue->copy_h2d(block.at, x.data(), sizeof(float) * x.size());
  Tape tape;
  const Value value = tape.input(ONC_F32);
  tape.output(value + value);
  const TensorRef tensor{block.at, ONC_F32, dims, strides};
  Op(ONC_OP_EXPR).in(tensor).out(tensor).tape(tape, dims).run(*queue);
  std::vector<float> y(x.size());
  queue->copy_d2h(y.data(), block.at, sizeof(float) * y.size());
  CHECK(y == std::vector<float>{2, 4, 6});
  device->allocator().free(block.address);
  const onc_device_stats stats = device->stats();
  return {stats, stats.warnings == nullptr ? "" : stats.warnings};
}

}  // namespace

TEST_CASE("a damaged cache entry is a miss, is counted, and is written anew") {
  const auto backend = opencl();
  if (!backend) return;  // this build has no opencl plugin
  const Folder folder;
  CHECK(use(backend, folder.path).stats.cache_rejected == 0);
  const auto entries = folder.entries();
  REQUIRE(!entries.empty());
  const auto again = use(backend, folder.path);
  CHECK(again.stats.cache_rejected == 0);
  CHECK(again.warnings.empty());

  const auto damage = [&](const char* how, auto&& edit) {
    CAPTURE(how);
    for (const fs::path& entry : entries) write(entry, edit(read(entry)));
    CHECK(use(backend, folder.path).stats.cache_rejected == entries.size());
    CHECK(use(backend, folder.path).stats.cache_rejected == 0);
    CHECK(folder.entries().size() == entries.size());  // no temporary file is left
  };
  damage("empty", [](const std::string&) { return std::string(); });
  damage("cut", [](const std::string& bytes) { return bytes.substr(0, bytes.size() - 1); });
  damage("cut in its header", [](const std::string& bytes) { return bytes.substr(0, 20); });
  damage("longer", [](const std::string& bytes) { return bytes + "x"; });
  damage("one bit flipped at the end", [](std::string bytes) {
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    return bytes;
  });
  damage("one bit flipped in the key", [](std::string bytes) {
    bytes[16] = static_cast<char>(bytes[16] ^ 1);
    return bytes;
  });
  damage("text", [](const std::string&) { return std::string(1000, 'a'); });
}

TEST_CASE("an entry under another's name is not taken") {
  const auto backend = opencl();
  if (!backend) return;
  const Folder folder;
  use(backend, folder.path);
  const auto entries = folder.entries();
  REQUIRE(!entries.empty());
  std::string name = entries[0].filename().string();
  const std::string bytes = read(entries[0]);
  for (const fs::path& entry : entries) fs::remove(entry);
  // The digest of a key is the file's name: another key's entry, whole in itself, must not serve this one.
  std::string other = bytes;
  for (size_t i = 16; i < 48; ++i) other[i] = static_cast<char>(other[i] + 1);
  write(folder.path / name, other);
  CHECK(use(backend, folder.path).stats.cache_rejected == 1);
}

TEST_CASE("a cache folder that is read-only, shared or no folder is named in a warning") {
  const auto backend = opencl();
  if (!backend) return;
  {
    const Folder folder;
    ::chmod(folder.path.c_str(), 0500);
    const auto outcome = use(backend, folder.path);
    CHECK(outcome.warnings.find(folder.path.string() + " is not writable") != std::string::npos);
    CHECK(folder.entries().empty());
  }
  {
    const Folder folder;
    ::chmod(folder.path.c_str(), 0777);
    const auto outcome = use(backend, folder.path);
    CHECK(outcome.warnings.find(folder.path.string() + " is writable by others") != std::string::npos);
    CHECK(folder.entries().empty());
  }
  {
    const Folder folder;
    const fs::path file = folder.path / "file";
    write(file, "not a folder");
    CHECK(use(backend, file).warnings.find(file.string() + " cannot be opened") != std::string::npos);
    CHECK(read(file) == "not a folder");
    CHECK(use(backend, file / "below").warnings.find("cannot be made") != std::string::npos);
  }
}
