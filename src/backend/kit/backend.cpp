// The slots of slots.def over the virtual functions of backend.hpp: every parameter is checked, every exception becomes an
// onc_error, and a *_free never fails. The functions bear the slots' names, so that the table cannot mix them up.
#include "kit/backend.hpp"

#include "kit/border.hpp"
#include "kit/bounds.hpp"
#include "kit/structs.hpp"

namespace oncilla::kit {
namespace {

Backend& (*g_backend)() = nullptr;  // set once, by make_api

onc_error* no_memory_error() noexcept {
  static onc_error error{ONC_OUT_OF_MEMORY, {}};
  return &error;
}

const char* or_empty(const char* text) { return text != nullptr ? text : ""; }

Backend& backend_with(SlotName slot, uint32_t index) {
  Backend& backend = g_backend();
  const uint32_t count = backend.device_count();
  if (index >= count) throw Error(ONC_NOT_FOUND, cat("[", slot.name, "] there is no device ", index, ": there are ", count));
  return backend;
}

void check_copy_flags(SlotName slot, uint32_t flags) {
  slot.holds(flags == ONC_COPY_UNTIL_RETURN || flags == ONC_COPY_UNTIL_EVENT, "flags ", flags,
             " is neither ONC_COPY_UNTIL_RETURN (", uint32_t{ONC_COPY_UNTIL_RETURN}, ") nor ONC_COPY_UNTIL_EVENT (",
             uint32_t{ONC_COPY_UNTIL_EVENT}, ")");
}

namespace slots {

uint32_t error_code(const onc_error* error) { return error != nullptr ? error->code : static_cast<uint32_t>(ONC_OK); }

const char* error_message(const onc_error* error) {
  if (error == nullptr) return "";
  return error == no_memory_error() ? "no host memory, not even for this error's message" : error->message.c_str();
}

void error_free(onc_error* error) { free_error(error); }

onc_error* device_count(uint32_t* count) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(count, "count");
    *count = 0;
    *count = g_backend().device_count();
  });
}

onc_error* device_info(uint32_t index, onc_device_info* info) {
  return guarded(__func__, [=](SlotName slot) {
    struct_size(slot.name, "info", info);
    onc_device_info full{};
    full.size = sizeof(full);
    backend_with(slot, index).device_info(index, full);
    for (const char** text : {&full.name, &full.vendor, &full.platform, &full.driver, &full.api, &full.features})
      *text = or_empty(*text);
    write_struct(slot.name, "info", info, full);
  });
}

onc_error* device_open(uint32_t index, const onc_device_options* options, onc_device** device) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(device, "device");
    *device = nullptr;
    const onc_device_options full =
        options != nullptr ? read_struct(slot.name, "options", options) : onc_device_options{sizeof(full)};
    *device = slot.made(backend_with(slot, index).open(index, full));
  });
}

void device_close(onc_device* device) { delete device; }

onc_error* device_stats(onc_device* device, onc_device_stats* stats) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(device, "device");
    struct_size(slot.name, "stats", stats);
    onc_device_stats full{};
    full.size = sizeof(full);
    device->stats(full);
    full.warnings = or_empty(full.warnings);
    write_struct(slot.name, "stats", stats, full);
  });
}

onc_error* buffer_alloc(onc_device* device, uint64_t bytes, onc_buffer** buffer) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(device, "device");
    slot.given(buffer, "buffer");
    *buffer = nullptr;
    slot.holds(bytes > 0, "bytes is 0");
    *buffer = slot.made(device->alloc(bytes));
  });
}

void buffer_free(onc_buffer* buffer) { delete buffer; }

onc_error* buffer_map(onc_queue* queue, onc_arg at, uint64_t bytes, uint32_t flags, void** host) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(queue, "queue");
    slot.given(host, "host");
    *host = nullptr;
    slot.holds(flags >= ONC_MAP_READ && flags <= (ONC_MAP_READ | ONC_MAP_WRITE), "flags ", flags, " is not ONC_MAP_READ (",
               uint32_t{ONC_MAP_READ}, "), ONC_MAP_WRITE (", uint32_t{ONC_MAP_WRITE}, ") or both");
    slot.holds(bytes > 0, "bytes is 0");
    check_range(slot, "at", at, bytes);
    *host = queue->map(at, bytes, flags);
  });
}

onc_error* buffer_unmap(onc_queue* queue, onc_arg at, void* host) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(queue, "queue");
    slot.given(host, "host");
    check_range(slot, "at", at, 0);
    queue->unmap(at, host);
  });
}

onc_error* queue_create(onc_device* device, const onc_queue_options* options, onc_queue** queue) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(device, "device");
    slot.given(queue, "queue");
    *queue = nullptr;
    const uint32_t flags = options != nullptr ? read_struct(slot.name, "options", options, ONC_QUEUE_PROFILING).flags : 0;
    *queue = slot.made(device->create_queue(flags));
  });
}

void queue_free(onc_queue* queue) { delete queue; }

onc_error* queue_flush(onc_queue* queue) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(queue, "queue");
    queue->flush();
  });
}

onc_error* queue_finish(onc_queue* queue) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(queue, "queue");
    queue->finish();
  });
}

onc_error* event_record(onc_queue* queue, onc_event** event) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(queue, "queue");
    slot.given(event, "event");
    *event = nullptr;
    *event = slot.made(queue->record());
  });
}

onc_error* event_wait(onc_queue* queue, onc_event* event) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(queue, "queue");
    slot.given(event, "event");
    queue->wait(*event);
  });
}

onc_error* event_done(onc_event* event, uint32_t* done) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(event, "event");
    slot.given(done, "done");
    *done = 0;
    *done = event->done() ? 1 : 0;
  });
}

onc_error* event_sync(onc_event* event) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(event, "event");
    event->sync();
  });
}

onc_error* event_elapsed(onc_event* start, onc_event* end, double* nanoseconds) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(start, "start");
    slot.given(end, "end");
    slot.given(nanoseconds, "nanoseconds");
    *nanoseconds = 0;
    *nanoseconds = end->elapsed_since(*start);
  });
}

onc_error* event_then(onc_event* event, void (*fn)(void*), void* user) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(event, "event");
    slot.holds(fn != nullptr, "fn is NULL");
    event->then(fn, user);
  });
}

void event_free(onc_event* event) { delete event; }

onc_error* queue_watch(onc_queue* queue) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(queue, "queue");
    queue->watch();
  });
}

onc_error* event_kernels(onc_event* event, onc_event* start, void (*fn)(void*, const char*, double, double), void* user) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(event, "event");
    slot.given(start, "start");
    slot.holds(fn != nullptr, "fn is NULL");
    event->kernels(*start, fn, user);
  });
}

onc_error* device_examine(onc_device* device, void (*fn)(void*, uint32_t, const char*, const char*, const char*), void* user) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(device, "device");
    slot.holds(fn != nullptr, "fn is NULL");
    device->examine([=](uint32_t level, const std::string& topic, const std::string& text, const std::string& advice) {
      fn(user, level, topic.c_str(), text.c_str(), advice.c_str());
    });
  });
}

onc_error* copy_h2d(onc_queue* queue, onc_arg dst, const void* src, uint64_t bytes, uint32_t flags) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(queue, "queue");
    check_copy_flags(slot, flags);
    if (bytes == 0) return;
    slot.given(src, "src");
    check_range(slot, "dst", dst, bytes);
    queue->copy_h2d(dst, src, bytes, flags);
  });
}

onc_error* copy_d2h(onc_queue* queue, void* dst, onc_arg src, uint64_t bytes, uint32_t flags) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(queue, "queue");
    check_copy_flags(slot, flags);
    if (bytes == 0) return;
    slot.given(dst, "dst");
    check_range(slot, "src", src, bytes);
    queue->copy_d2h(dst, src, bytes, flags);
  });
}

onc_error* copy_d2d(onc_queue* queue, onc_arg dst, onc_arg src, uint64_t bytes) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(queue, "queue");
    if (bytes == 0) return;
    check_d2d(slot, dst, src, bytes);
    const bool onto_itself = dst.buffer == src.buffer && dst.offset == src.offset;
    if (!onto_itself) queue->copy_d2d(dst, src, bytes);
  });
}

onc_error* fill(onc_queue* queue, onc_arg dst, uint64_t bytes, const void* pattern, uint32_t pattern_bytes) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(queue, "queue");
    if (bytes == 0) return;
    slot.given(pattern, "pattern");
    check_fill(slot, dst, bytes, pattern_bytes);
    queue->fill(dst, bytes, pattern, pattern_bytes);
  });
}

onc_error* plan_create(onc_device* device, const onc_op_desc* desc, onc_plan** plan) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(device, "device");
    slot.given(desc, "desc");
    slot.given(plan, "plan");
    *plan = nullptr;
    *plan = slot.made(device->plan(parse(*desc)));
  });
}

onc_error* plan_run(onc_plan* plan, onc_queue* queue, const onc_run* run) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(plan, "plan");
    slot.given(queue, "queue");
    const onc_run full = read_struct(slot.name, "run", run);
    check_run(*plan, full);
    queue->about_to_run(plan->info);
    plan->run(*queue, {{full.args, full.n_args}, {full.scalars, full.n_scalars}, full.workspace});
  });
}

onc_error* plan_info(onc_plan* plan, onc_plan_info* info) {
  return guarded(__func__, [=](SlotName slot) {
    slot.given(plan, "plan");
    const PlanInfo& from = plan->info;
    onc_plan_info full{};
    full.variant = from.variant.c_str();
    full.candidates = from.candidates.c_str();
    full.workspace_bytes = from.workspace_bytes;
    full.flops = from.flops;
    full.bytes = from.bytes;
    full.shape_class = from.shape_class.c_str();
    full.parameters = from.parameters.c_str();
    full.choices = from.choices.c_str();
    write_struct(slot.name, "info", info, full);
  });
}

void plan_free(onc_plan* plan) { delete plan; }

}  // namespace slots

constexpr uint32_t kSlots = 0
#define ONC_SLOT(result, slot, params) +1
#include "oncilla/slots.def"
#undef ONC_SLOT
    ;

}  // namespace

onc_error* new_error(uint32_t code, const char* message) noexcept {
  if (message == nullptr) return no_memory_error();
  try {
    return new onc_error{code, message};
  } catch (...) {
    return no_memory_error();
  }
}

void free_error(onc_error* error) noexcept {
  if (error != no_memory_error()) delete error;
}

const onc_api* make_api(Backend& (*backend)(), const char* name, const char* version) {
  static const onc_api api = [&] {
    g_backend = backend;
    return onc_api{
        sizeof(onc_api), ONC_ABI_MAJOR, ONC_ABI_MINOR, kSlots, 0, name, version,
#define ONC_SLOT(result, slot, params) slots::slot,
#include "oncilla/slots.def"
#undef ONC_SLOT
    };
  }();
  return &api;
}

}  // namespace oncilla::kit
