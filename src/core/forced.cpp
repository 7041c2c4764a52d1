#include "core/forced.hpp"

#include <atomic>
#include <map>
#include <mutex>

#include "core/error.hpp"
#include "core/op.hpp"

namespace oncilla::forced {
namespace {

std::atomic<bool> g_any{false};
std::atomic<uint64_t> g_uses{0};
std::mutex g_mutex;

std::map<uint32_t, std::string>& names() {
  static std::map<uint32_t, std::string> map;
  return map;
}

uint32_t number(const std::string& op) {
#define ONC_OP(number, NAME, name, ...) \
  if (op == #name) return number;
#include "oncilla/ops.def"
#undef ONC_OP
  throw Error(ONC_INVALID_ARGUMENT, "[" + op + "] is no op, so none of its variants can be forced");
}

}  // namespace

void set(const std::string& op, const std::string& variant) {
  const uint32_t key = number(op);
  const std::lock_guard lock(g_mutex);
  if (variant.empty())
    names().erase(key);
  else
    names()[key] = variant;
  g_any = !names().empty();
}

uint64_t uses() { return g_uses; }

bool any() { return g_any.load(std::memory_order_relaxed); }

std::string variant(uint32_t op) {
  const std::lock_guard lock(g_mutex);
  const auto found = names().find(op);
  if (found == names().end()) return {};
  ++g_uses;
  return found->second;
}

}  // namespace oncilla::forced
