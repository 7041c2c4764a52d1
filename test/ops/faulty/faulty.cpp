// A plugin with a defect, for `test_ops --seeded`: the reference plugin's table with a few slots replaced. ONCILLA_TEST_DEFECT
// names the defect, read at every call; unset, the plugin is the reference plugin. It stands alone, so that a mistake in the kit
// cannot hide one here.
#include <dlfcn.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "oncilla/oncilla.h"
#include "ops/faulty/defects.hpp"

namespace {

using faulty::Tensor;

// What is remembered of a plan: its tensors, and how often it ran.
struct Plan {
  uint32_t op = 0;
  std::vector<Tensor> in, out;
  int runs = 0;
};

const onc_api* g_reference = nullptr;
std::map<onc_plan*, Plan> g_plans;
std::mutex g_mutex;
bool g_fail_later = false;

std::string defect() {
  const char* name = std::getenv("ONCILLA_TEST_DEFECT");
  return name ? name : "";
}

// An error object of the reference plugin, whatever its own message: made by a call that must fail, and told apart by our own
// table.
struct OwnError {
  uint32_t code;
  std::string message;
};
std::map<const onc_error*, OwnError> g_errors;

onc_error* make_error(uint32_t code, const std::string& message) {
  auto* key = reinterpret_cast<onc_error*>(new char);
  g_errors[key] = {code, message};
  return key;
}

uint32_t error_code(const onc_error* error) {
  const auto own = g_errors.find(error);
  return own == g_errors.end() ? g_reference->error_code(error) : own->second.code;
}

const char* error_message(const onc_error* error) {
  const auto own = g_errors.find(error);
  return own == g_errors.end() ? g_reference->error_message(error) : own->second.message.c_str();
}

void error_free(onc_error* error) {
  if (g_errors.erase(error) == 0) return g_reference->error_free(error);
  delete reinterpret_cast<char*>(error);
}

onc_error* plan_create(onc_device* device, const onc_op_desc* desc, onc_plan** plan) {
  if (defect() == "decline") return make_error(ONC_UNIMPLEMENTED, "[faulty] declined on purpose");
  const faulty::Misread misread(*desc, defect());
  onc_error* error = g_reference->plan_create(device, misread.get(), plan);
  if (error) return error;
  const std::lock_guard lock(g_mutex);
  g_plans[*plan] = {desc->op, faulty::tensors_of(desc->in, desc->n_in), faulty::tensors_of(desc->out, desc->n_out)};
  return nullptr;
}

onc_error* plan_info(onc_plan* plan, onc_plan_info* info) {
  onc_error* error = g_reference->plan_info(plan, info);
  if (error) return error;
  if (defect() == "other_variant") info->variant = "another";
  if (defect() == "no_candidates") info->candidates = "";
  if (defect() == "past_workspace") info->workspace_bytes = 64;
  return nullptr;
}

void plan_free(onc_plan* plan) {
  const std::lock_guard lock(g_mutex);
  g_plans.erase(plan);
  g_reference->plan_free(plan);
}

// A range of device memory as host memory while this lives.
class Mapped {
 public:
  Mapped(onc_queue* queue, onc_arg at, uint64_t bytes) : queue_(queue), at_(at) {
    void* host = nullptr;
    if (onc_error* error = g_reference->buffer_map(queue, at, bytes, ONC_MAP_READ | ONC_MAP_WRITE, &host)) {
      g_reference->error_free(error);
      std::abort();  // the test's own mistake
    }
    data = static_cast<unsigned char*>(host);
  }
  ~Mapped() {
    if (onc_error* error = g_reference->buffer_unmap(queue_, at_, data)) g_reference->error_free(error);
  }
  Mapped(const Mapped&) = delete;
  unsigned char* data;

 private:
  onc_queue* queue_;
  onc_arg at_;
};

template <class T, class Change>
bool change_as(unsigned char* at, Change&& change) {
  T value;
  std::memcpy(&value, at, sizeof value);
  const bool changed = change(value);
  std::memcpy(at, &value, sizeof value);
  return changed;
}

// Applies change(value) to the floating element at a byte address; false for other dtypes or if the change did not fit the value.
template <class Change>
bool change_float(uint32_t dtype, unsigned char* at, Change&& change) {
  if (dtype == ONC_F32) return change_as<float>(at, change);
  if (dtype == ONC_F64) return change_as<double>(at, change);
  return false;
}

void change_first(const Tensor& t, unsigned char* data, const std::string& name) {
  for (int64_t element = 0; element < t.span(); ++element) {
    unsigned char* at = data + static_cast<size_t>(element) * t.item();
    bool done = false;
    if (name == "nan_for_number") done = change_float(t.dtype, at, [](auto& v) { return std::isfinite(v) && (v = NAN, true); });
    if (name == "number_for_nan") done = change_float(t.dtype, at, [](auto& v) { return std::isnan(v) && (v = 0, true); });
    if (name == "negate_infinity")
      done = change_float(t.dtype, at, [](auto& v) { return std::isinf(v) && v > 0 && (v = -v, true); });
    if (name == "perturb_element") {
      done = change_float(t.dtype, at, [](auto& v) {
        return std::isfinite(v) && (v += std::fabs(v) * (sizeof v == 4 ? 3e-6 : 3e-7) + (sizeof v == 4 ? 3e-5 : 3e-7), true);
      });
    }
    if (name == "flushed_denormal")
      done = change_float(t.dtype, at, [](auto& v) { return std::fpclassify(v) == FP_SUBNORMAL && (v = 0, true); });
    if (name == "lost_sign_of_zero")
      done = change_float(t.dtype, at, [](auto& v) { return v == 0 && std::signbit(v) && (v = 0, true); });
    // A half rounded towards zero: one less in the last place.
    if (name == "truncated_half" && (t.dtype == ONC_F16 || t.dtype == ONC_BF16))
      done = change_as<uint16_t>(at, [&](uint16_t& v) {
        const uint16_t exponent = t.dtype == ONC_F16 ? 0x7c00 : 0x7f80;
        return (v & 0x7fff) != 0 && (v & exponent) != exponent && (--v, true);
      });
    if (name == "saturated_integer" && t.dtype == ONC_I32)
      done = change_as<int32_t>(at, [](int32_t& v) { return v < -1'000'000 && (v = INT32_MAX, true); });
    if (name == "off_by_one_integer" && t.dtype == ONC_I64) done = change_as<int64_t>(at, [](int64_t& v) { return ++v, true; });
    if (done) return;
  }
}

// The positions of equal neighbours of sorted rows change places: a sort that is not stable.
void unstable(const Plan& plan, onc_queue* queue, const onc_run* run) {
  const bool sorts = plan.op == ONC_OP_SORT || plan.op == ONC_OP_TOP_K;
  if (!sorts || plan.out.size() < 2 || plan.out[0].dtype != ONC_F32 || plan.out[1].empty()) return;
  const Tensor &y = plan.out[0], &index = plan.out[1];
  if (y.span() != y.numel() || index.span() != index.numel()) return;
  const Mapped values(queue, run->args[plan.in.size()], y.item() * static_cast<size_t>(y.numel()));
  const Mapped positions(queue, run->args[plan.in.size() + 1], index.item() * static_cast<size_t>(index.numel()));
  const auto* v = reinterpret_cast<const float*>(values.data);
  auto* at = reinterpret_cast<int64_t*>(positions.data);
  for (int64_t i = 0; i + 1 < y.numel(); ++i) {
    if ((i + 1) % y.dims.back() != 0 && v[i] == v[i + 1]) return std::swap(at[i], at[i + 1]);
  }
}

void damage(const Plan& plan, onc_queue* queue, const onc_run* run, const std::string& name,
            const std::vector<std::vector<unsigned char>>& before) {
  for (size_t i = 0; i < plan.in.size() && name == "write_input"; ++i) {
    if (plan.in[i].empty()) continue;
    const Mapped memory(queue, run->args[i], plan.in[i].item());
    memory.data[0] ^= 1;
    return;
  }
  if (name == "past_workspace") {
    const Mapped memory(queue, run->workspace, 65);
    memory.data[64] ^= 1;
    return;
  }
  if (name == "unstable_sort") unstable(plan, queue, run);
  for (size_t o = 0; o < plan.out.size(); ++o) {
    const Tensor& t = plan.out[o];
    const onc_arg at = run->args[plan.in.size() + o];
    if (t.empty()) continue;
    const size_t bytes = static_cast<size_t>(t.span()) * t.item();
    const Mapped memory(queue, {at.buffer, at.offset - t.item()}, bytes + 2 * t.item());
    unsigned char* data = memory.data + t.item();
    unsigned char* last = data + bytes - t.item();
    change_first(t, data, name);
    if (name == "perturb_last") change_float(t.dtype, last, [](auto& v) { return v += 1, true; });
    if (name == "swap_elements" && bytes >= 2 * t.item()) {
      for (size_t b = 0; b < t.item(); ++b) std::swap(data[b], last[b]);
    }
    if (name == "skip_last") std::memcpy(last, before[o].data() + bytes - t.item(), t.item());
    if (name == "read_output") *last = static_cast<unsigned char>((*last & 0xfe) | (before[o][bytes - t.item()] & 1));
    // A kernel of four elements at a time without a tail.
    const int64_t tail = t.numel() % 4;
    if (name == "no_tail" && tail > 0 && t.span() == t.numel()) {
      const size_t from = bytes - static_cast<size_t>(tail) * t.item();
      std::memcpy(data + from, before[o].data() + from, bytes - from);
    }
    // The last of dim 0 is that before it.
    if (name == "dropped_sample" && t.dims.size() >= 2 && t.dims[0] >= 2 && t.span() == t.numel()) {
      const size_t row = bytes / static_cast<size_t>(t.dims[0]);
      std::memmove(data + bytes - row, data + bytes - 2 * row, row);
    }
    // An element that the last run of any plan left behind.
    static std::map<uint32_t, std::vector<unsigned char>> left;
    if (name == "stale_memory" && t.dtype == ONC_F32) {
      std::vector<unsigned char>& stale = left[t.dtype];
      const std::vector<unsigned char> fresh(data, data + t.item());
      if (!stale.empty()) std::memcpy(data, stale.data(), t.item());
      stale = fresh;
    }
    if (name == "forgotten_output" && o > 0) std::memcpy(data, before[o].data(), bytes);
    if (name == "past_end") data[bytes] ^= 1;
    if (name == "before_start") data[-1] ^= 1;
    if (name == "flaky" && plan.runs % 2) *data ^= 1;
    if (name == "into_gap" && !t.strides.empty() && t.strides.back() > 1) data[t.item()] ^= 1;
  }
}

onc_error* plan_run(onc_plan* handle, onc_queue* queue, const onc_run* run) {
  const std::string name = defect();
  if (name == "fail_run") return make_error(ONC_INTERNAL, "[faulty] failed on purpose");
  if (name == "fail_later") g_fail_later = true;
  Plan* plan = nullptr;
  {
    const std::lock_guard lock(g_mutex);
    plan = &g_plans.at(handle);
  }
  std::vector<std::vector<unsigned char>> before(plan->out.size());
  for (size_t o = 0; o < plan->out.size(); ++o) {
    if (plan->out[o].empty()) continue;
    const size_t bytes = static_cast<size_t>(plan->out[o].span()) * plan->out[o].item();
    const Mapped memory(queue, run->args[plan->in.size() + o], bytes);
    before[o].assign(memory.data, memory.data + bytes);
  }
  if (name == "crash") std::raise(SIGSEGV);
  while (name == "hang") pause();
  onc_run changed = *run;
  const std::vector<onc_scalar> scalars = faulty::misread_scalars(plan->op, *run, name);
  const std::vector<onc_arg> args = faulty::misread_args(plan->in, *run, name);
  changed.scalars = scalars.data();
  changed.args = args.data();
  onc_error* error = g_reference->plan_run(handle, queue, &changed);
  if (error) return error;
  ++plan->runs;
  if (!name.empty()) damage(*plan, queue, run, name, before);
  return nullptr;
}

onc_error* queue_finish(onc_queue* queue) {
  if (g_fail_later) {
    g_fail_later = false;
    return make_error(ONC_DEVICE_LOST, "[faulty] failed on purpose, later");
  }
  return g_reference->queue_finish(queue);
}

// The reference plugin lies beside this one.
const onc_api* load_reference() {
  Dl_info here{};
  dladdr(reinterpret_cast<const void*>(&load_reference), &here);
  std::string path = here.dli_fname;
  path.erase(path.rfind('/') + 1);
  void* library = dlopen((path + "liboncilla_reference.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return nullptr;
  const auto entry = reinterpret_cast<onc_get_api_v1_fn>(dlsym(library, ONC_ENTRY_SYMBOL));
  return entry ? entry() : nullptr;
}

}  // namespace

extern "C" ONC_EXPORT const onc_api* onc_get_api_v1(void) {
  static onc_api api{};
  if (g_reference) return &api;
  g_reference = load_reference();
  if (!g_reference) return nullptr;
  api = *g_reference;
  api.name = "faulty";
  api.error_code = error_code;
  api.error_message = error_message;
  api.error_free = error_free;
  api.plan_create = plan_create;
  api.plan_info = plan_info;
  api.plan_free = plan_free;
  api.plan_run = plan_run;
  api.queue_finish = queue_finish;
  return &api;
}
