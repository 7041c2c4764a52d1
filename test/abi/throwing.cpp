// Nothing that a plugin throws crosses the border: each slot turns it into an error that names the slot or what the plugin said.
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "descriptor.hpp"

namespace {

// Every slot that can fail, called with good arguments.
struct Call {
  const char* slot;
  std::function<onc_error*()> call;
};

struct Everything : Fixture {
  onc_event *event = nullptr, *made_event = nullptr;
  onc_plan *plan = nullptr, *made_plan = nullptr;
  onc_device* made_device = nullptr;
  onc_queue* made_queue = nullptr;
  onc_buffer* made_buffer = nullptr;
  onc_device_info info{sizeof(info)};
  onc_device_stats stats{sizeof(stats)};
  uint32_t count = 0;
  double elapsed = 0;
  void* host = nullptr;
  char bytes[64] = {};
  std::vector<onc_arg> args;
  onc_run run{sizeof(run)};

  Everything() {
    REQUIRE(api.event_record(queue, &event) == nullptr);
    REQUIRE(valid::softmax().plan(*this, &plan).text == "");
    args = {{buffer, 0}, {buffer, 1024}};
    run.args = args.data();
    run.n_args = 2;
  }
  ~Everything() {
    api.event_free(event);
    api.plan_free(plan);
  }

  std::vector<Call> calls() {
    const onc_arg at{buffer, 0}, other{buffer, 64};
    return {
        {"device_count", [=, this] { return api.device_count(&count); }},
        {"device_info", [=, this] { return api.device_info(0, &info); }},
        {"device_open", [=, this] { return api.device_open(0, nullptr, &made_device); }},
        {"device_stats", [=, this] { return api.device_stats(device, &stats); }},
        {"buffer_alloc", [=, this] { return api.buffer_alloc(device, 64, &made_buffer); }},
        {"buffer_map", [=, this] { return api.buffer_map(queue, at, 64, ONC_MAP_READ, &host); }},
        {"buffer_unmap", [=, this] { return api.buffer_unmap(queue, at, bytes); }},
        {"queue_create", [=, this] { return api.queue_create(device, nullptr, &made_queue); }},
        {"queue_flush", [=, this] { return api.queue_flush(queue); }},
        {"queue_finish", [=, this] { return api.queue_finish(queue); }},
        {"event_record", [=, this] { return api.event_record(queue, &made_event); }},
        {"event_wait", [=, this] { return api.event_wait(queue, event); }},
        {"event_done", [=, this] { return api.event_done(event, &count); }},
        {"event_sync", [=, this] { return api.event_sync(event); }},
        {"event_elapsed", [=, this] { return api.event_elapsed(event, event, &elapsed); }},
        {"event_then",
         [=, this] {
           return api.event_then(
               event, [](void*) {}, nullptr);
         }},
        {"queue_watch", [=, this] { return api.queue_watch(queue); }},
        {"event_kernels",
         [=, this] {
           return api.event_kernels(
               event, event, [](void*, const char*, double, double) {}, nullptr);
         }},
        {"device_examine",
         [=, this] {
           return api.device_examine(
               device, [](void*, uint32_t, const char*, const char*, const char*) {}, nullptr);
         }},
        {"copy_h2d", [=, this] { return api.copy_h2d(queue, at, bytes, 64, 0); }},
        {"copy_d2h", [=, this] { return api.copy_d2h(queue, bytes, at, 64, 0); }},
        {"copy_d2d", [=, this] { return api.copy_d2d(queue, at, other, 64); }},
        {"fill", [=, this] { return api.fill(queue, at, 64, bytes, 4); }},
        {"plan_create", [this] { return plan_create(); }},
        {"plan_run", [=, this] { return api.plan_run(plan, queue, &run); }},
    };
  }

  onc_error* plan_create() {
    const int64_t dims[] = {4}, strides[] = {1};
    const onc_tensor_desc tensor{sizeof(tensor), 0, nullptr, ONC_F32, 1, dims, strides};
    const onc_tensor_desc* one[] = {&tensor};
    const onc_softmax_attrs attrs{sizeof(attrs)};
    const onc_op_desc desc{sizeof(desc), 0, nullptr, ONC_OP_SOFTMAX, 1, 1, one, one, &attrs};
    return api.plan_create(device, &desc, &made_plan);
  }
};

struct Thrown {
  int kind;
  uint32_t code;
  const char* fragment;
  bool names_slot;
};

}  // namespace

TEST_CASE("what virtual functions throw becomes an error") {
  Everything e;
  const Thrown thrown[] = {{1, ONC_INTERNAL, "a standard exception", true},
                           {2, ONC_INTERNAL, "no std::exception", true},
                           {3, ONC_OUT_OF_MEMORY, "no host memory", true},
                           {4, ONC_DEVICE_LOST, "[null] lost", false},
                           {5, ONC_INTERNAL, "success, thrown", false}};
  for (const Thrown& t : thrown) {
    for (const Call& c : e.calls()) {
      CAPTURE(t.kind);
      CAPTURE(c.slot);
      null_throws() = t.kind;
      onc_error* error = c.call();
      null_throws() = 0;
      const Outcome o = outcome(error);
      CAPTURE(o);
      CHECK(o.code == t.code);
      CHECK(o.has(t.fragment));
      CHECK(o.has(std::string("[").append(c.slot).append("]")) == t.names_slot);
    }
  }
  CHECK(e.made_device == nullptr);
  CHECK(e.made_queue == nullptr);
  CHECK(e.made_buffer == nullptr);
  CHECK(e.made_event == nullptr);
  CHECK(e.made_plan == nullptr);
}

TEST_CASE("a plugin that makes nothing is found out") {
  Everything e;
  null_gives_nothing() = 1;
  for (const Call& c : e.calls()) {
    const std::string slot = c.slot;
    if (slot != "device_open" && slot != "buffer_alloc" && slot != "queue_create" && slot != "event_record" &&
        slot != "plan_create")
      continue;
    const Outcome o = outcome(c.call());
    CAPTURE(o);
    CHECK(o.code == ONC_INTERNAL);
    CHECK(o.has(slot + "] the plugin gave nothing"));
  }
  null_gives_nothing() = 0;
}

TEST_CASE("a backend that cannot be made says why, each time") {
  const auto backend = oncilla::Backend::load(plugin_path("backend_throws"));
  for (int i = 0; i < 2; ++i) {
    try {
      backend->device_count();
      FAIL("no error");
    } catch (const oncilla::Error& e) {
      CHECK(e.code() == ONC_NOT_FOUND);
      CHECK(std::string(e.what()) == "[failing] no platform: install one");
    }
  }
  onc_device* device = nullptr;
  CHECK(outcome(backend->api().device_open(0, nullptr, &device)).has("no platform"));
}
