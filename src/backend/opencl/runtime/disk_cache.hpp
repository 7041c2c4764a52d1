// Bytes by key in a private folder: compiled programs and probe results. Not a store to rely on: whatever is wrong with the folder
// or an entry makes a miss and a warning, never an error.
//
// An entry is one file named by its key: magic, length, the key's and the payload's digest, payload. It is written under a
// temporary name in the same folder, synced and renamed, so that a reader sees a whole entry or none.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "runtime/hash.hpp"

namespace oncilla::ocl {

class DiskCache {
 public:
  // dir: NULL = $ONCILLA_CACHE_DIR, else $XDG_CACHE_HOME/oncilla, else ~/.cache/oncilla; "" = no caching.
  explicit DiskCache(const char* dir);
  ~DiskCache();
  DiskCache(const DiskCache&) = delete;
  DiskCache& operator=(const DiskCache&) = delete;

  bool enabled() const { return folder_ >= 0; }
  // The entry of `key`; *rejected is set if a file was there but damaged or foreign.
  std::optional<std::string> load(const Digest& key, bool* rejected) const;
  // Gives the reason if it could not be written, and writes no more then.
  std::string store(const Digest& key, const std::string& payload);
  // What lies in the folder, every entry read and checked.
  struct Health {
    uint64_t entries = 0, bytes = 0, damaged = 0;
    uint64_t abandoned = 0;  // begun by a process that ended before it had written them
    uint64_t foreign = 0;    // files that are no entries
  };
  Health health() const;
  bool writable() const { return writable_; }
  const std::string& dir() const { return dir_; }
  // Why there is no caching, or no writing; "" if there is nothing to say.
  const std::string& warning() const { return warning_; }

 private:
  void open(const std::string& dir);
  int folder_ = -1;
  std::atomic<bool> writable_{false};  // plans are made on several threads
  std::string dir_, warning_;
};

}  // namespace oncilla::ocl
