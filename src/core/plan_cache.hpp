// Plans by description: the key is the bytes of op, dtypes, sizes, strides, attributes, tape and forced variant. Thread-safe;
// bounded, least recently used first out; a plan in use stays alive.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/device.hpp"

namespace oncilla {

class Plan {
 public:
  Plan(Device& device, onc_plan* handle);
  ~Plan();
  Plan(const Plan&) = delete;
  onc_plan* handle() const { return handle_; }
  const std::string& variant() const { return variant_; }
  const std::string& candidates() const { return candidates_; }
  uint64_t workspace_bytes() const { return workspace_bytes_; }
  uint64_t flops() const { return flops_; }
  uint64_t bytes() const { return bytes_; }

 private:
  Device& device_;
  onc_plan* handle_;
  std::string variant_, candidates_;
  uint64_t workspace_bytes_ = 0, flops_ = 0, bytes_ = 0;
};

class PlanCache {
 public:
  struct Stats {
    uint64_t hits = 0, misses = 0, evictions = 0, size = 0;
  };
  // A training step of a large network has some hundred plans; one takes about 3 KB. Where every step brings new shapes, this is
  // what they leave behind.
  static constexpr size_t kCapacity = 4096;
  explicit PlanCache(size_t capacity = kCapacity);
  ~PlanCache();
  // make() runs outside the lock; a failure is thrown and not cached.
  std::shared_ptr<Plan> get(std::string_view key, const std::function<std::shared_ptr<Plan>()>& make);
  Stats stats() const;
  void clear();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace oncilla
