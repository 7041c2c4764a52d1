// What the border checks of calls whose objects are good: NULL, ranges, alignment, counts, flags.
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "descriptor.hpp"

namespace {

constexpr uint64_t kBytes = Fixture::kBytes;

// One plan, run with arguments that a test bends.
struct Run {
  Run(const Fixture& f, const Descriptor& d, std::vector<onc_arg> arguments, uint32_t n_scalars)
      : f(f), args(std::move(arguments)), scalars(n_scalars) {
    REQUIRE(d.plan(f, &plan).text == "");
  }
  ~Run() { f.api.plan_free(plan); }
  Outcome operator()() {
    onc_run run{sizeof(run)};
    run.args = args.data();
    run.scalars = scalars.data();
    run.n_args = static_cast<uint32_t>(args.size());
    run.n_scalars = static_cast<uint32_t>(scalars.size());
    run.workspace = workspace;
    return outcome(f.api.plan_run(plan, f.queue, &run));
  }
  const Fixture& f;
  onc_plan* plan = nullptr;
  std::vector<onc_arg> args;
  std::vector<onc_scalar> scalars;
  onc_arg workspace{};
};

}  // namespace

TEST_CASE("NULL is refused by name, and freed") {
  const Fixture f;
  const oncilla::Api& a = f.api;
  const onc_arg at{f.buffer, 0}, nowhere{nullptr, 0};
  char bytes[16] = {};
  onc_event* event = nullptr;
  REQUIRE(a.event_record(f.queue, &event) == nullptr);
  onc_queue* queue = nullptr;
  onc_buffer* buffer = nullptr;
  onc_plan* plan = nullptr;
  void* host = nullptr;
  uint32_t done = 0;
  double ns = 0;
  onc_device_stats stats{sizeof(stats)};
  const onc_op_desc desc{sizeof(desc)};
  const onc_run run{sizeof(run)};
  const auto refused = [](onc_error* error, const std::string& text) {
    const Outcome o = outcome(error);
    CAPTURE(o);
    CHECK(o.code == ONC_INVALID_ARGUMENT);
    CHECK(o.text == text);
  };
  refused(a.device_count(nullptr), "[device_count] count is NULL");
  refused(a.device_info(0, nullptr), "[device_info] info is NULL");
  refused(a.device_open(0, nullptr, nullptr), "[device_open] device is NULL");
  refused(a.device_stats(nullptr, &stats), "[device_stats] device is NULL");
  refused(a.device_stats(f.device, nullptr), "[device_stats] stats is NULL");
  refused(a.buffer_alloc(nullptr, 4, &buffer), "[buffer_alloc] device is NULL");
  refused(a.buffer_alloc(f.device, 4, nullptr), "[buffer_alloc] buffer is NULL");
  refused(a.buffer_map(nullptr, at, 4, 1, &host), "[buffer_map] queue is NULL");
  refused(a.buffer_map(f.queue, nowhere, 4, 1, &host), "[buffer_map] at.buffer is NULL");
  refused(a.buffer_map(f.queue, at, 4, 1, nullptr), "[buffer_map] host is NULL");
  refused(a.buffer_unmap(nullptr, at, bytes), "[buffer_unmap] queue is NULL");
  refused(a.buffer_unmap(f.queue, at, nullptr), "[buffer_unmap] host is NULL");
  refused(a.queue_create(nullptr, nullptr, &queue), "[queue_create] device is NULL");
  refused(a.queue_create(f.device, nullptr, nullptr), "[queue_create] queue is NULL");
  refused(a.queue_flush(nullptr), "[queue_flush] queue is NULL");
  refused(a.queue_finish(nullptr), "[queue_finish] queue is NULL");
  refused(a.event_record(nullptr, &event), "[event_record] queue is NULL");
  refused(a.event_record(f.queue, nullptr), "[event_record] event is NULL");
  refused(a.event_wait(nullptr, event), "[event_wait] queue is NULL");
  refused(a.event_wait(f.queue, nullptr), "[event_wait] event is NULL");
  refused(a.event_done(nullptr, &done), "[event_done] event is NULL");
  refused(a.event_done(event, nullptr), "[event_done] done is NULL");
  refused(a.event_sync(nullptr), "[event_sync] event is NULL");
  refused(a.event_elapsed(nullptr, event, &ns), "[event_elapsed] start is NULL");
  refused(a.event_elapsed(event, nullptr, &ns), "[event_elapsed] end is NULL");
  refused(a.event_elapsed(event, event, nullptr), "[event_elapsed] nanoseconds is NULL");
  refused(a.event_then(
              nullptr, [](void*) {}, nullptr),
          "[event_then] event is NULL");
  refused(a.event_then(event, nullptr, nullptr), "[event_then] fn is NULL");
  refused(a.queue_watch(nullptr), "[queue_watch] queue is NULL");
  const auto ignore = [](void*, const char*, double, double) {};
  refused(a.event_kernels(nullptr, event, ignore, nullptr), "[event_kernels] event is NULL");
  refused(a.event_kernels(event, nullptr, ignore, nullptr), "[event_kernels] start is NULL");
  refused(a.event_kernels(event, event, nullptr, nullptr), "[event_kernels] fn is NULL");
  refused(a.device_examine(
              nullptr, [](void*, uint32_t, const char*, const char*, const char*) {}, nullptr),
          "[device_examine] device is NULL");
  refused(a.device_examine(f.device, nullptr, nullptr), "[device_examine] fn is NULL");
  refused(a.copy_h2d(nullptr, at, bytes, 4, 0), "[copy_h2d] queue is NULL");
  refused(a.copy_h2d(f.queue, nowhere, bytes, 4, 0), "[copy_h2d] dst.buffer is NULL");
  refused(a.copy_h2d(f.queue, at, nullptr, 4, 0), "[copy_h2d] src is NULL");
  refused(a.copy_d2h(f.queue, nullptr, at, 4, 0), "[copy_d2h] dst is NULL");
  refused(a.copy_d2h(f.queue, bytes, nowhere, 4, 0), "[copy_d2h] src.buffer is NULL");
  refused(a.copy_d2d(f.queue, nowhere, at, 4), "[copy_d2d] dst.buffer is NULL");
  refused(a.copy_d2d(f.queue, at, nowhere, 4), "[copy_d2d] src.buffer is NULL");
  refused(a.fill(f.queue, at, 4, nullptr, 4), "[fill] pattern is NULL");
  refused(a.fill(f.queue, nowhere, 4, bytes, 4), "[fill] dst.buffer is NULL");
  refused(a.plan_create(nullptr, &desc, &plan), "[plan_create] device is NULL");
  refused(a.plan_create(f.device, nullptr, &plan), "[plan_create] desc is NULL");
  refused(a.plan_create(f.device, &desc, nullptr), "[plan_create] plan is NULL");
  refused(a.plan_run(nullptr, f.queue, &run), "[plan_run] plan is NULL");
  refused(a.plan_info(nullptr, nullptr), "[plan_info] plan is NULL");
  a.event_free(event);

  a.error_free(nullptr);
  a.device_close(nullptr);
  a.buffer_free(nullptr);
  a.queue_free(nullptr);
  a.event_free(nullptr);
  a.plan_free(nullptr);
  CHECK(a.error_code(nullptr) == ONC_OK);
  CHECK(std::string(a.error_message(nullptr)) == "");
}

TEST_CASE("devices and memory") {
  const Fixture f;
  onc_device_info info{sizeof(info)};
  Outcome o = outcome(f.api.device_info(2, &info));
  CHECK(o.code == ONC_NOT_FOUND);
  CHECK(o.text == "[device_info] there is no device 2: there are 2");
  onc_device* device = nullptr;
  o = outcome(f.api.device_open(7, nullptr, &device));
  CHECK(o.code == ONC_NOT_FOUND);
  CHECK(o.text == "[device_open] there is no device 7: there are 2");
  onc_buffer* buffer = nullptr;
  CHECK(outcome(f.api.buffer_alloc(f.device, 0, &buffer)).has("[buffer_alloc] bytes is 0"));
  CHECK(outcome(f.api.buffer_alloc(f.device, 1ull << 50, &buffer)).has("1125899906842624 bytes"));
  void* host = nullptr;
  CHECK(outcome(f.api.buffer_map(f.queue, {f.buffer, 0}, 4, 0, &host)).has("[buffer_map] flags 0 is not"));
  CHECK(outcome(f.api.buffer_map(f.queue, {f.buffer, 0}, 4, 4, &host)).has("[buffer_map] flags 4 is not"));
  CHECK(outcome(f.api.buffer_map(f.queue, {f.buffer, 0}, 0, 1, &host)).has("[buffer_map] bytes is 0"));
  CHECK(outcome(f.api.buffer_map(f.queue, {f.buffer, 4000}, 97, 1, &host))
            .has("at of 97 bytes at offset 4000 passes the end of a buffer of 4096"));
  CHECK(f.api.buffer_map(f.queue, {f.buffer, 4000}, 96, 3, &host) == nullptr);
  CHECK(f.api.buffer_unmap(f.queue, {f.buffer, 4000}, host) == nullptr);
}

TEST_CASE("copies and fills stay inside their buffers") {
  const Fixture f;
  const oncilla::Api& a = f.api;
  char bytes[64] = "pattern of bytes", back[64] = {};
  const onc_arg last{f.buffer, kBytes - 64}, beyond{f.buffer, kBytes - 63}, far{f.buffer, ~0ull - 3};
  CHECK(a.copy_h2d(f.queue, last, bytes, 64, 0) == nullptr);
  CHECK(a.copy_d2h(f.queue, back, last, 64, ONC_COPY_UNTIL_EVENT) == nullptr);
  CHECK(std::memcmp(bytes, back, 64) == 0);
  CHECK(outcome(a.copy_h2d(f.queue, beyond, bytes, 64, 0)).has("[copy_h2d] dst of 64 bytes at offset 4033 passes the end"));
  CHECK(outcome(a.copy_d2h(f.queue, back, beyond, 64, 0)).has("[copy_d2h] src of 64 bytes at offset 4033 passes the end"));
  CHECK(outcome(a.copy_d2h(f.queue, back, far, 8, 0)).has("at offset 18446744073709551612 passes the end"));
  CHECK(outcome(a.copy_h2d(f.queue, last, bytes, ~0ull, 0)).has("dst of 18446744073709551615 bytes"));
  CHECK(outcome(a.copy_h2d(f.queue, last, bytes, 64, 2)).has("[copy_h2d] flags 2 is neither"));
  CHECK(outcome(a.copy_d2h(f.queue, back, last, 64, 9)).has("[copy_d2h] flags 9 is neither"));
  CHECK(a.copy_h2d(f.queue, {nullptr, 0}, nullptr, 0, 0) == nullptr);
  CHECK(a.copy_d2d(f.queue, {f.buffer, 0}, {f.buffer, 64}, 64) == nullptr);
  CHECK(a.copy_d2d(f.queue, {f.buffer, 64}, {f.buffer, 64}, 64) == nullptr);
  CHECK(outcome(a.copy_d2d(f.queue, {f.buffer, 0}, {f.buffer, 63}, 64))
            .has("dst at offset 0 and src at offset 63 overlap in part over 64 bytes"));
  CHECK(outcome(a.copy_d2d(f.queue, beyond, {f.buffer, 0}, 64)).has("[copy_d2d] dst of 64 bytes"));
  CHECK(outcome(a.copy_d2d(f.queue, {f.buffer, 0}, beyond, 64)).has("[copy_d2d] src of 64 bytes"));

  CHECK(a.fill(f.queue, {f.buffer, 16}, 48, bytes, 16) == nullptr);
  CHECK(outcome(a.fill(f.queue, {f.buffer, 0}, 48, bytes, 3)).has("[fill] pattern_bytes 3 is not 1, 2, 4, 8 or 16"));
  CHECK(outcome(a.fill(f.queue, {f.buffer, 0}, 48, bytes, 0)).has("[fill] pattern_bytes 0"));
  CHECK(outcome(a.fill(f.queue, {f.buffer, 0}, 50, bytes, 4)).has("[fill] bytes 50 is not a multiple of the pattern's 4"));
  CHECK(outcome(a.fill(f.queue, {f.buffer, 6}, 48, bytes, 4)).has("[fill] dst.offset 6 is not a multiple of the pattern's 4"));
  CHECK(outcome(a.fill(f.queue, last, 128, bytes, 4)).has("[fill] dst of 128 bytes at offset 4032 passes the end"));
}

TEST_CASE("arguments of a run") {
  const Fixture f;
  Run softmax(f, valid::softmax(), {{f.buffer, 0}, {f.buffer, 96}}, 0);  // 24 floats each
  CHECK(softmax().text == "");
  softmax.args[1].offset = kBytes - 96;
  CHECK(softmax().text == "");
  softmax.args[1].offset = kBytes - 92;
  CHECK(softmax().has("[softmax] output 0 of 96 bytes at offset 4004 passes the end of a buffer of 4096 bytes"));
  softmax.args[1].offset = ~0ull - 3;
  CHECK(softmax().has("[softmax] output 0 of 96 bytes at offset 18446744073709551612"));
  softmax.args[1] = {f.buffer, 98};
  CHECK(softmax().has("[softmax] output 0 has offset 98, not a multiple of the 4 bytes of an element"));
  softmax.args[1] = {nullptr, 96};
  CHECK(softmax().has("[softmax] output 0 has no buffer"));
  softmax.args[1] = {f.buffer, 48};
  CHECK(softmax().has("[softmax] output 0 (offset 48, 96 bytes) overlaps input 0 (offset 0, 96 bytes)"));
  softmax.args.resize(1);
  CHECK(softmax().has("[softmax] 1 arguments, but the plan has 2"));
  softmax.args = {{f.buffer, 0}, {f.buffer, 96}};
  softmax.scalars.resize(1);
  CHECK(softmax().has("[softmax] 1 scalars, but the plan reads 0"));

  onc_run run{sizeof(run)};
  run.n_args = 2;
  CHECK(outcome(f.api.plan_run(softmax.plan, f.queue, &run)).has("[softmax] args is NULL"));
  CHECK(outcome(f.api.plan_run(softmax.plan, nullptr, &run)).has("[plan_run] queue is NULL"));
  CHECK(outcome(f.api.plan_run(softmax.plan, f.queue, nullptr)).has("[plan_run] run is NULL"));
  run.flags = 1;
  CHECK(outcome(f.api.plan_run(softmax.plan, f.queue, &run)).has("[plan_run] run.flags 1"));
}

TEST_CASE("spans, not sizes, are what a run reaches") {
  const Fixture f;
  Descriptor d = valid::softmax();
  *d.in[0] = TensorSpec(ONC_F32, {4, 3, 2}, {300, 0, 1});  // reaches 3*300 + 1 + 1 elements
  Run softmax(f, d, {{f.buffer, 488}, {f.buffer, 0}}, 0);
  CHECK(softmax().text == "");
  softmax.args[0].offset = 492;
  CHECK(softmax().has("[softmax] input 0 of 3608 bytes at offset 492 passes the end"));
}

TEST_CASE("absent and empty arguments need no buffer") {
  const Fixture f;
  Descriptor d = valid::softmax();
  *d.in[0] = *d.out[0] = TensorSpec(ONC_F32, {0, 3});
  CHECK(Run(f, d, {{}, {}}, 0)().text == "");
  d = valid::max_pool();
  d.out[1].reset();
  CHECK(Run(f, d, {{f.buffer, 0}, {f.buffer, 2048}, {}}, 0)().text == "");
}

TEST_CASE("workspace, and which outputs may be inputs") {
  const Fixture f;
  Descriptor d = valid::matmul();
  *d.in[2] = *d.out[0];
  Run matmul(f, d, {{f.buffer, 0}, {f.buffer, 256}, {f.buffer, 512}, {f.buffer, 512}}, 2);
  CHECK(matmul().has("[matmul] the plan needs a workspace of 256 bytes, and none is given"));
  matmul.workspace = {f.buffer, kBytes - 192};
  CHECK(matmul().has("[matmul] workspace of 256 bytes at offset 3904 passes the end of a buffer of 4096"));
  matmul.workspace = {f.buffer, 1000};
  CHECK(matmul().has("[matmul] workspace offset 1000 is not a multiple of 64"));
  matmul.workspace = {f.buffer, 1024};
  CHECK(matmul().text == "");  // d is c
  matmul.args[3].offset = 516;
  CHECK(matmul().has("[matmul] output 0 (offset 516, 48 bytes) overlaps input 2 (offset 512, 48 bytes)"));
  matmul.args[3].offset = 0;
  CHECK(matmul().has("overlaps input 0"));
  matmul.scalars.clear();
  CHECK(matmul().has("[matmul] 0 scalars, but the plan reads 2"));

  const auto at = [&](uint64_t i) { return onc_arg{f.buffer, i * 128}; };
  Run norm(f, valid::batch_norm(), {at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(3), at(4)}, 2);
  CHECK(norm().text == "");  // the running statistics in place
  norm.args[8] = at(4);
  CHECK(norm().has("[batch_norm] output 3"));
  norm.args[8] = at(6);
  CHECK(norm().has("[batch_norm] output 3 (offset 768, 12 bytes) overlaps output 1 (offset 768, 12 bytes)"));
}

TEST_CASE("scalars of a foreach: shared ones and each tensor's") {
  const Fixture f;
  const auto at = [&](uint64_t i) { return onc_arg{f.buffer, i * 128}; };
  Run step(f, valid::foreach (), {at(0), at(1), at(2), at(3), at(0), at(1)}, 3);
  CHECK(step().text == "");
  step.scalars.resize(2);
  CHECK(step().has("[foreach] 2 scalars, but the plan reads 3"));
}

TEST_CASE("a tape in place") {
  const Fixture f;
  Descriptor d = valid::expr();
  const onc_arg at{f.buffer, 0}, elsewhere{f.buffer, 256};
  CHECK(Run(f, d, {at, elsewhere, at}, 1)().text == "");
  *d.in[0] = TensorSpec(ONC_F32, {2, 3}, {1, 2});  // transposed
  CHECK(Run(f, d, {at, elsewhere, at}, 1)().has(
      "[expr] output 0 float32[2, 3] with strides [3, 1] begins where input 0 float32[2, 3] with strides [1, 2]"));
  CHECK(Run(f, d, {at, elsewhere, {f.buffer, 512}}, 1)().text == "");
  *d.in[0] = TensorSpec(ONC_F32, {2, 3}, {0, 0});
  CHECK(Run(f, d, {at, elsewhere, at}, 1)().has("not the same elements"));
  d = valid::expr();
  d.dims = {1, 1};
  *d.in[0] = TensorSpec(ONC_F32, {1, 1}, {0, 7});
  *d.in[1] = *d.out[0] = TensorSpec(ONC_F32, {1, 1});
  CHECK(Run(f, d, {at, elsewhere, at}, 1)().text == "");
  Descriptor sum = valid::expr_reduction();
  CHECK(Run(f, sum, {at, elsewhere, at}, 0)().has("[expr] output 0 float32[2]"));
}
