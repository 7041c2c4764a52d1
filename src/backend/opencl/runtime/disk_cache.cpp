#include "runtime/disk_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "kit/error.hpp"

namespace oncilla::ocl {

namespace {

constexpr char kMagic[8] = {'O', 'N', 'C', 'C', 'A', 'C', 'H', '1'};
constexpr uint64_t kMaxBytes = uint64_t{1} << 30;

struct Header {
  char magic[8];
  uint64_t bytes;
  Digest key, checksum;
};

struct File {
  int fd;
  explicit File(int fd) : fd(fd) {}
  ~File() {
    if (fd >= 0) close(fd);
  }
  File(const File&) = delete;
};

bool read_all(int fd, void* to, size_t bytes) {
  auto* at = static_cast<char*>(to);
  while (bytes != 0) {
    const ssize_t n = read(fd, at, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= static_cast<size_t>(n);
  }
  return true;
}

bool write_all(int fd, const void* from, size_t bytes) {
  const auto* at = static_cast<const char*>(from);
  while (bytes != 0) {
    const ssize_t n = write(fd, at, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= static_cast<size_t>(n);
  }
  return true;
}

// The key that a file's name spells.
std::optional<Digest> key_of(const std::string& name) {
  Digest key{};
  if (name.size() != 2 * key.size() || name.find_first_not_of("0123456789abcdef") != std::string::npos) return std::nullopt;
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<unsigned char>(std::stoi(name.substr(2 * i, 2), nullptr, 16));
  return key;
}

std::string default_dir() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  if (const char* dir = std::getenv("ONCILLA_CACHE_DIR"); dir != nullptr) return dir;
  // The XDG rules: a relative path is to be ignored.
  if (const std::string dir = variable("XDG_CACHE_HOME"); !dir.empty() && dir[0] == '/') return dir + "/oncilla";
  if (const std::string home = variable("HOME"); !home.empty() && home[0] == '/') return home + "/.cache/oncilla";
  return "";
}

}  // namespace

DiskCache::DiskCache(const char* dir) { open(dir != nullptr ? dir : default_dir()); }

DiskCache::~DiskCache() {
  if (folder_ >= 0) close(folder_);
}

void DiskCache::open(const std::string& dir) {
  if (dir.empty()) return;
  dir_ = dir;
  const auto refuse = [&](const std::string& why) { warning_ = kit::cat("[cache] no programs are kept on disk: ", dir, " ", why); };
  // Parents get the user's usual mode, the folder itself is private.
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path(dir).parent_path(), failed);
  if (mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) return refuse(kit::cat("cannot be made (", std::strerror(errno), ")"));
  const int folder = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return refuse(kit::cat("cannot be opened (", std::strerror(errno), ")"));
  struct stat info {};
  const bool known = fstat(folder, &info) == 0;
  // Programs are code: nobody else may be able to put one there.
  if (!known || info.st_uid != geteuid() || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    close(folder);
    return refuse(!known || info.st_uid == geteuid() ? "is writable by others" : "belongs to another user");
  }
  folder_ = folder;
  writable_ = (info.st_mode & S_IWUSR) != 0 && faccessat(folder, ".", W_OK, AT_EACCESS) == 0;
  if (!writable_) warning_ = kit::cat("[cache] new programs are not kept on disk: ", dir, " is not writable");
}

std::optional<std::string> DiskCache::load(const Digest& key, bool* rejected) const {
  *rejected = false;
  if (!enabled()) return std::nullopt;
  const File file(openat(folder_, hex(key).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (file.fd < 0) {
    *rejected = errno != ENOENT;
    return std::nullopt;
  }
  *rejected = true;
  struct stat info {};
  Header header{};
  if (fstat(file.fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != geteuid()) return std::nullopt;
  if (!read_all(file.fd, &header, sizeof header)) return std::nullopt;
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.key != key || header.bytes > kMaxBytes) return std::nullopt;
  if (static_cast<uint64_t>(info.st_size) != sizeof header + header.bytes) return std::nullopt;
  std::string payload(header.bytes, '\0');
  if (!read_all(file.fd, payload.data(), payload.size()) || sha256(payload) != header.checksum) return std::nullopt;
  *rejected = false;
  return payload;
}

DiskCache::Health DiskCache::health() const {
  Health health;
  if (!enabled()) return health;
  std::error_code failed;
  for (std::filesystem::directory_iterator it(dir_, failed), end; !failed && it != end; it.increment(failed)) {
    const std::string name = it->path().filename().string();
    if (!name.empty() && name[0] == '.') {
      const auto age = std::filesystem::file_time_type::clock::now() - it->last_write_time(failed);
      if (!failed && age > std::chrono::hours(1)) ++health.abandoned;
      failed.clear();
      continue;
    }
    const auto key = key_of(name);
    if (!key) {
      ++health.foreign;
      continue;
    }
    bool rejected = false;
    const auto payload = load(*key, &rejected);
    ++health.entries;
    if (rejected) ++health.damaged;
    if (payload) health.bytes += payload->size() + sizeof(Header);
  }
  return health;
}

std::string DiskCache::store(const Digest& key, const std::string& payload) {
  if (!enabled() || !writable_ || payload.size() > kMaxBytes) return "";
  static std::atomic<unsigned> serial{0};
  const std::string temporary = kit::cat(".", hex(key), ".", getpid(), ".", serial++);
  bool written = false;
  int reason = 0;
  {
    const File file(openat(folder_, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (file.fd >= 0) {
      Header header{};
      std::memcpy(header.magic, kMagic, sizeof kMagic);
      header.bytes = payload.size();
      header.key = key;
      header.checksum = sha256(payload);
      written =
          write_all(file.fd, &header, sizeof header) && write_all(file.fd, payload.data(), payload.size()) && fsync(file.fd) == 0;
    }
    reason = errno;
  }
  if (written) {
    written = renameat(folder_, temporary.c_str(), folder_, hex(key).c_str()) == 0;
    reason = errno;
  }
  if (written) return "";
  unlinkat(folder_, temporary.c_str(), 0);
  writable_ = false;
  return kit::cat("[cache] new programs are no longer kept on disk: ", dir_, " could not be written (", std::strerror(reason), ")");
}

}  // namespace oncilla::ocl
