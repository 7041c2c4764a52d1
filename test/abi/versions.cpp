// Older and newer callers and plugins: structs and tables of another size than this build's.
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "core/device.hpp"
#include "descriptor.hpp"

namespace {

// Memory of exactly `bytes`, so that a sanitizer sees one byte beyond. Begins as a copy of `from`.
template <class T>
std::unique_ptr<T, decltype(&std::free)> cut(const T& from, uint32_t bytes) {
  auto* p = static_cast<T*>(std::malloc(bytes));
  std::memcpy(static_cast<void*>(p), &from, std::min<size_t>(bytes, sizeof(T)));
  std::memcpy(static_cast<void*>(p), &bytes, sizeof(bytes));
  return {p, &std::free};
}

// A caller's struct as a later version might have it.
template <class T>
struct Later {
  T known{};
  uint64_t extra[3] = {~0ull, ~0ull, ~0ull};
};

const onc_ext kUnknownTail{4242, sizeof(onc_ext), nullptr};
const onc_ext kUnknown{4241, 4000, &kUnknownTail};

// A plugin's table as it would be with `slots` slots, in memory of exactly its size.
std::unique_ptr<onc_api, decltype(&std::free)> table(uint32_t slots, int extra_slots = 0) {
  const auto first = static_cast<uint32_t>(offsetof(onc_api, error_code));
  const auto bytes = static_cast<uint32_t>(first + (slots + extra_slots) * sizeof(void*));
  auto t = cut(static_cast<const onc_api&>(null_api()), bytes);
  t->size = bytes;
  t->n_slots = slots + extra_slots;
  for (int i = 0; i < extra_slots; ++i) {
    auto* unknown = reinterpret_cast<unsigned char*>(t.get()) + first + (slots + i) * sizeof(void*);
    std::memset(unknown, 0xEE, sizeof(void*));
  }
  return t;
}

uint32_t all_slots() { return null_api().n_slots; }

std::string refusal(const onc_api* t) {
  try {
    oncilla::Backend::from_table(t, "/origin/of/table.so");
  } catch (const oncilla::Error& e) {
    return e.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("an older caller's structs are filled to their size") {
  const Fixture f;
  onc_device_info full{};
  std::memset(static_cast<void*>(&full), 0xAB, sizeof(full));
  full.flags = 0;
  full.next = nullptr;
  for (const uint32_t size : {16u, 24u, 48u, 72u, 96u, 104u}) {
    const auto info = cut(full, size);
    CHECK(f.api.device_info(0, info.get()) == nullptr);
    CHECK(info->size == size);
    if (size >= 24) CHECK(std::string(info->name) == "nothing");
    if (size >= 72) CHECK(info->compute_units == 3);
  }
  const auto stats = cut(onc_device_stats{}, 24);
  CHECK(f.api.device_stats(f.device, stats.get()) == nullptr);
  CHECK(stats->buffer_bytes == 0);
}

TEST_CASE("a newer caller's unknown members become zero") {
  const Fixture f;
  Later<onc_device_info> info;
  info.known.size = sizeof(info);
  CHECK(f.api.device_info(1, &info.known) == nullptr);
  CHECK(info.known.size == sizeof(info));
  CHECK(std::string(info.known.name) == "nothing");
  for (const uint64_t extra : info.extra) CHECK(extra == 0);

  onc_plan* plan = nullptr;
  REQUIRE(valid::matmul().plan(f, &plan).text == "");
  Later<onc_plan_info> plan_info;
  plan_info.known.size = sizeof(plan_info);
  CHECK(f.api.plan_info(plan, &plan_info.known) == nullptr);
  CHECK(std::string(plan_info.known.variant) == "null");
  CHECK(plan_info.known.workspace_bytes == 256);
  for (const uint64_t extra : plan_info.extra) CHECK(extra == 0);
  f.api.plan_free(plan);
}

TEST_CASE("sizes that no version has are refused") {
  const Fixture f;
  for (const uint32_t size : {0u, 4u, 15u, 65537u, 0xffffffffu}) {
    onc_device_info info{size};
    CHECK(outcome(f.api.device_info(0, &info)).has("[device_info] info.size " + std::to_string(size)));
    onc_device_stats stats{size};
    CHECK(outcome(f.api.device_stats(f.device, &stats)).has("stats.size " + std::to_string(size)));
    const onc_device_options options{size};
    onc_device* device = nullptr;
    CHECK(outcome(f.api.device_open(0, &options, &device)).has("options.size " + std::to_string(size)));
    const onc_queue_options queue_options{size};
    onc_queue* queue = nullptr;
    CHECK(outcome(f.api.queue_create(f.device, &queue_options, &queue)).has("options.size " + std::to_string(size)));
  }
}

TEST_CASE("options of an older and of a newer caller") {
  const Fixture f;
  const auto older = cut(onc_device_options{}, 16);
  onc_device* device = nullptr;
  CHECK(f.api.device_open(0, older.get(), &device) == nullptr);
  f.api.device_close(device);
  Later<onc_device_options> newer;
  newer.known.size = sizeof(newer);
  newer.known.next = &kUnknown;
  CHECK(f.api.device_open(0, &newer.known, &device) == nullptr);
  f.api.device_close(device);
  const onc_queue_options unknown_flag{sizeof(unknown_flag), 4};
  onc_queue* queue = nullptr;
  CHECK(outcome(f.api.queue_create(f.device, &unknown_flag, &queue)).has("[queue_create] options.flags 4"));
}

TEST_CASE("descriptors of an older caller read as zero beyond their size") {
  const Fixture f;
  // Pooling attributes from before divisor_override.
  Descriptor pool = valid::avg_pool();
  const auto attrs = cut(pool.attrs<onc_pool_attrs>(), sizeof(onc_pool_attrs) - 8);
  pool.bend = [&](onc_op_desc& d) { d.attrs = attrs.get(); };
  CHECK(pool.plan(f).text == "");
  // A descriptor from before attrs.
  Descriptor matmul = valid::matmul();
  Outcome o;
  matmul.bend = [&](onc_op_desc& d) {
    const auto old = cut(d, sizeof(onc_op_desc) - 8);
    onc_plan* plan = nullptr;
    o = outcome(f.api.plan_create(f.device, old.get(), &plan));
    f.api.plan_free(plan);
  };
  matmul.plan(f);
  CHECK(o.text == "");
  // Only a head: nothing is known but that.
  const auto head = cut(onc_op_desc{}, 16);
  onc_plan* plan = nullptr;
  CHECK(outcome(f.api.plan_create(f.device, head.get(), &plan)).has("there is no op 0"));
}

TEST_CASE("descriptors of a newer caller") {
  const Fixture f;
  Descriptor softmax = valid::softmax();
  Later<onc_softmax_attrs> attrs;
  attrs.known = softmax.attrs<onc_softmax_attrs>();
  attrs.known.size = sizeof(attrs);
  attrs.known.next = &kUnknown;
  softmax.in[0]->head.next = &kUnknown;
  Outcome o;
  const onc_ext_variant variant{{ONC_EXT_VARIANT, sizeof(onc_ext_variant), &kUnknown}, "null"};
  const onc_ext first{4243, sizeof(onc_ext), &variant.head};
  softmax.bend = [&](onc_op_desc& d) {
    Later<onc_op_desc> newer{d};
    newer.known.size = sizeof(newer);
    newer.known.attrs = &attrs;
    newer.known.next = &first;
    onc_plan* plan = nullptr;
    o = outcome(f.api.plan_create(f.device, &newer.known, &plan));
    f.api.plan_free(plan);
  };
  softmax.plan(f);
  CHECK(o.text == "");
}

TEST_CASE("a run of an older caller has no workspace") {
  const Fixture f;
  onc_plan *softmax = nullptr, *matmul = nullptr;
  REQUIRE(valid::softmax().plan(f, &softmax).text == "");
  REQUIRE(valid::matmul().plan(f, &matmul).text == "");
  const onc_arg args[] = {{f.buffer, 0}, {f.buffer, 512}, {f.buffer, 1024}, {f.buffer, 2048}};
  const onc_scalar scalars[2] = {};
  onc_run run{};
  run.args = args;
  run.scalars = scalars;
  run.n_args = 2;
  CHECK(outcome(f.api.plan_run(softmax, f.queue, cut(run, 40).get())).text == "");
  run.n_args = 4;
  run.n_scalars = 2;
  CHECK(outcome(f.api.plan_run(matmul, f.queue, cut(run, 40).get())).has("[matmul] the plan needs a workspace of 256 bytes"));
  f.api.plan_free(softmax);
  f.api.plan_free(matmul);
}

TEST_CASE("tables of older and newer plugins") {
  CHECK(refusal(table(all_slots()).get()) == "");
  CHECK(refusal(table(all_slots(), 3).get()) == "");
  CHECK(refusal(table(all_slots() - 1).get()) == "");  // of minor version 1
  CHECK(refusal(table(all_slots() - 3).get()) == "");  // of minor version 0
  // One that ends before a slot that every host needs.
  const std::string shorter = refusal(table(all_slots() - 5).get());
  CHECK(contains(shorter, "/origin/of/table.so"));
  CHECK(contains(shorter, "plan_info, plan_free"));
  CHECK(contains(refusal(table(0).get()), "error_code"));
  // One that promises more slots than its size holds.
  const auto liar = table(5);
  liar->n_slots = 0xffffffff;
  CHECK(contains(refusal(liar.get()), "device_close"));
}

TEST_CASE("tables that are none") {
  CHECK(contains(refusal(nullptr), "gave no table"));
  const auto changed = [](auto change) {
    onc_api t = null_api();
    change(t);
    return refusal(&t);
  };
  CHECK(contains(changed([](onc_api& t) { t.size = 0; }), "0 bytes"));
  CHECK(contains(changed([](onc_api& t) { t.size = 24; }), "24 bytes"));
  CHECK(contains(changed([](onc_api& t) { t.major = 2; }), "major version 2"));
  CHECK(contains(changed([](onc_api& t) { t.major = 0; }), "major version 0"));
  CHECK(contains(changed([](onc_api& t) { t.name = nullptr; }), "no name"));
  CHECK(changed([](onc_api& t) { t.version = nullptr; }) == "");
  CHECK(changed([](onc_api& t) { t.minor = 99; }) == "");
}

TEST_CASE("a slot that a plugin lacks is named where it is used") {
  onc_api t = null_api();
  t.device_stats = nullptr;
  t.event_elapsed = nullptr;
  t.event_then = nullptr;
  t.buffer_map = nullptr;
  t.buffer_unmap = nullptr;
  const auto backend = oncilla::Backend::from_table(&t, "/origin/of/table.so");
  CHECK((backend->api().event_elapsed == nullptr));
  const auto device = oncilla::Device::open(backend, 0);
  const auto queue = device->create_queue(true);
  const auto message = [](auto use) -> std::string {
    try {
      use();
    } catch (const oncilla::Error& e) {
      CHECK(e.code() == ONC_UNIMPLEMENTED);
      return e.what();
    }
    return "";
  };
  const oncilla::Event a = queue->record(), b = queue->record();
  CHECK(contains(message([&] { b.elapsed_ns(a); }), "event_elapsed"));
  CHECK(device->stats().launches == 0);  // counters that nobody keeps read as zero
}
