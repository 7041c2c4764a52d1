// Compiled programs: each (file, definitions, prelude) once in a process, and on disk between processes where the platform gains by
// it.
#pragma once

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <string>

#include "runtime/cl.hpp"
#include "runtime/disk_cache.hpp"

namespace oncilla::ocl {

class ProgramCache {
 public:
  // identity: the platform's, device's and driver's strings; options: of every compilation.
  ProgramCache(cl::Context context, cl::Device id, const std::string& platform, const char* cache_dir);

  // Waits where another thread already compiles the same program; different ones compile side by side.
  cl::Program get(const std::string& file, const std::string& definitions, const std::string& prelude);
  // One compilation of plain text, uncached; throws ONC_BUILD_FAILURE with the log.
  cl::Program compile(const std::string& name, const std::string& source, const std::string& options) const;

  // Small results by name, kept on disk beside the programs (probes).
  std::optional<std::string> recall(const std::string& name);
  void remember(const std::string& name, const std::string& value);

  std::string warnings() const;
  const DiskCache& disk() const { return disk_; }
  bool keeps_binaries() const { return binaries_; }
  std::atomic<uint64_t> built{0}, cached{0}, rejected{0};

 private:
  cl::Program make(const std::string& name, const std::string& source);
  cl::Program from_binary(const Digest& key);
  void keep_binary(const Digest& key, const cl::Program& program);
  Digest key(const std::string& text) const;
  void store(const Digest& key, const std::string& payload);

  cl::Context context_;
  cl::Device id_;
  std::string identity_, options_;
  DiskCache disk_;
  bool binaries_ = false;
  mutable std::mutex mutex_;
  std::map<Digest, std::shared_future<cl::Program>> programs_;
  std::string warnings_;
};

}  // namespace oncilla::ocl
