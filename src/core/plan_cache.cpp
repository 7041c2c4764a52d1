// Plans by the bytes of their description (plan_cache.hpp): a hash set over the entries of a list that is kept in order of use.
#include "core/plan_cache.hpp"

#include <cstring>
#include <list>
#include <mutex>
#include <unordered_set>

#include "core/fork_guard.hpp"

namespace oncilla {
namespace {

// Multiplies to 128 bits and folds; every bit of both words reaches the result.
uint64_t fold(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Two words a step. The constants are odd and have about as many ones as zeros, so that runs of zero words still mix.
uint64_t hash_bytes(std::string_view key) {
  constexpr uint64_t kA = 0x9e3779b97f4a7c15u, kB = 0xc2b2ae3d27d4eb4fu, kC = 0x165667b19e3779f9u;
  uint64_t hash = kC ^ key.size();
  const char* at = key.data();
  size_t left = key.size();
  uint64_t words[2];
  for (; left >= sizeof(words); left -= sizeof(words), at += sizeof(words)) {
    std::memcpy(words, at, sizeof(words));
    hash = fold(words[0] ^ kA ^ hash, words[1] ^ kB);
  }
  words[0] = words[1] = 0;
  std::memcpy(words, at, left);
  hash = fold(words[0] ^ kA ^ hash, words[1] ^ kB);
  return fold(hash ^ kC, kA);
}

struct Entry {
  std::string key;
  uint64_t hash;
  std::shared_ptr<Plan> plan;
};

struct Probe {
  std::string_view key;
  uint64_t hash;
};

using Position = std::list<Entry>::iterator;

struct Hash {
  using is_transparent = void;
  size_t operator()(const Position& entry) const { return entry->hash; }
  size_t operator()(const Probe& probe) const { return probe.hash; }
};

struct Equal {
  using is_transparent = void;
  bool operator()(const Position& a, const Position& b) const { return a == b; }
  bool operator()(const Probe& a, const Position& b) const { return a.hash == b->hash && a.key == b->key; }
  bool operator()(const Position& a, const Probe& b) const { return (*this)(b, a); }
};

}  // namespace

Plan::Plan(Device& device, onc_plan* handle) : device_(device), handle_(handle) {
  const Api& api = device.api();
  onc_plan_info info{};
  info.size = sizeof(info);
  if (onc_error* error = api.plan_info(handle, &info)) {
    api.plan_free(handle);
    api.check(error);
  }
  variant_ = info.variant != nullptr ? info.variant : "";
  candidates_ = info.candidates != nullptr ? info.candidates : "";
  workspace_bytes_ = info.workspace_bytes;
  flops_ = info.flops;
  bytes_ = info.bytes;
}

Plan::~Plan() {
  if (!fork_guard::in_child()) device_.api().plan_free(handle_);
}

struct PlanCache::Impl {
  size_t capacity = 0;
  mutable std::mutex mutex;
  std::list<Entry> by_use;  // the latest first
  std::unordered_set<Position, Hash, Equal> index;
  Stats stats;
};

PlanCache::PlanCache(size_t capacity) : impl_(std::make_unique<Impl>()) { impl_->capacity = capacity > 0 ? capacity : 1; }
PlanCache::~PlanCache() = default;

std::shared_ptr<Plan> PlanCache::get(std::string_view key, const std::function<std::shared_ptr<Plan>()>& make) {
  const Probe probe{key, hash_bytes(key)};
  {
    std::lock_guard lock(impl_->mutex);
    if (const auto found = impl_->index.find(probe); found != impl_->index.end()) {
      ++impl_->stats.hits;
      impl_->by_use.splice(impl_->by_use.begin(), impl_->by_use, *found);
      return (*found)->plan;
    }
    ++impl_->stats.misses;
  }
  std::shared_ptr<Plan> made = make();
  std::shared_ptr<Plan> evicted;  // freed after the lock
  std::lock_guard lock(impl_->mutex);
  if (const auto found = impl_->index.find(probe); found != impl_->index.end()) return (*found)->plan;  // another thread was first
  impl_->by_use.push_front({std::string(key), probe.hash, made});
  impl_->index.insert(impl_->by_use.begin());
  if (impl_->by_use.size() > impl_->capacity) {
    const auto oldest = std::prev(impl_->by_use.end());
    impl_->index.erase(oldest);
    evicted = std::move(oldest->plan);
    impl_->by_use.pop_back();
    ++impl_->stats.evictions;
  }
  return made;
}

PlanCache::Stats PlanCache::stats() const {
  std::lock_guard lock(impl_->mutex);
  Stats stats = impl_->stats;
  stats.size = impl_->by_use.size();
  return stats;
}

void PlanCache::clear() {
  std::list<Entry> old;
  std::lock_guard lock(impl_->mutex);
  impl_->index.clear();
  old.swap(impl_->by_use);
}

}  // namespace oncilla
