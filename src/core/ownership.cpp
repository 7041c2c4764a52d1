#include "core/ownership.hpp"

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "core/device.hpp"
#include "core/error.hpp"

namespace oncilla::ownership {
namespace {

struct Table {
  std::shared_mutex mutex;
  std::unordered_map<const onc_buffer*, const Device*> owners;
  std::unordered_map<const Device*, size_t> counts;
  std::atomic<bool> several{false};  // devices have buffers
};

Table& table() {
  static auto* t = new Table;  // leaked, as devices are
  return *t;
}

}  // namespace

void add(const onc_buffer* buffer, const Device& device) {
  Table& t = table();
  std::unique_lock lock(t.mutex);
  t.owners[buffer] = &device;
  ++t.counts[&device];
  t.several = t.counts.size() > 1;
}

void remove(const onc_buffer* buffer) {
  Table& t = table();
  std::unique_lock lock(t.mutex);
  const auto owner = t.owners.find(buffer);
  if (owner == t.owners.end()) return;
  const auto count = t.counts.find(owner->second);
  if (--count->second == 0) t.counts.erase(count);
  t.owners.erase(owner);
  t.several = t.counts.size() > 1;
}

void check(const char* op, std::span<const onc_arg> args, const Device& device) {
  Table& t = table();
  if (!t.several.load(std::memory_order_relaxed)) [[likely]]
    return;
  std::shared_lock lock(t.mutex);
  for (size_t i = 0; i < args.size(); ++i) {
    const auto owner = t.owners.find(args[i].buffer);
    if (owner == t.owners.end() || owner->second == &device) continue;
    throw Error(ONC_INVALID_ARGUMENT, std::string("[") + op + "] expected all tensors to be on the same device, but argument " +
                                          std::to_string(i) + " is on " + owner->second->info().name + " and the op runs on " +
                                          device.info().name);
  }
}

}  // namespace oncilla::ownership
