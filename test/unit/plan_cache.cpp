// Plans by key: kept, evicted by age of use, made outside the lock, failures not remembered.
#include "core/plan_cache.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "fake.hpp"

using namespace oncilla;

namespace {

std::shared_ptr<Plan> make_plan(Device& device) {
  onc_op_desc desc{};
  desc.size = sizeof(desc);
  onc_plan* handle = nullptr;
  device.api().check(device.api().plan_create(device.handle(), &desc, &handle));
  return std::make_shared<Plan>(device, handle);
}

}  // namespace

TEST_CASE("plan cache: hits, misses, eviction of the least recently used") {
  fake::State& driver = fake::reset();
  auto device = fake::device();
  PlanCache cache(3);
  const auto get = [&](std::string_view key) { return cache.get(key, [&] { return make_plan(*device); }); };
  const auto a = get("a");
  get("b");
  get("c");
  CHECK(get("a") == a);
  get("d");  // b goes
  CHECK(driver.plans == 4);
  CHECK(cache.stats().evictions == 1);
  CHECK(cache.stats().size == 3);
  CHECK(driver.live_plans.size() == 3);
  CHECK(get("a") == a);
  CHECK(driver.plans == 4);
  get("b");  // made again; c goes
  CHECK(driver.plans == 5);
  get("e");
  get("f");  // a goes, but is held here
  CHECK(a->variant() == "default");
  CHECK(driver.live_plans.contains(a->handle()));
  const auto stats = cache.stats();
  CHECK(stats.hits == 2);
  CHECK(stats.misses == 7);
  cache.clear();
  CHECK(cache.stats().size == 0);
  CHECK(driver.live_plans.size() == 1);
}

TEST_CASE("plan cache: keys that differ in one byte, in length or only in zeros") {
  fake::State& driver = fake::reset();
  auto device = fake::device();
  PlanCache cache(5000);
  std::vector<std::string> keys;
  for (size_t length : {0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 200}) {
    keys.emplace_back(length, '\0');
    for (size_t i = 0; i < length; ++i) {
      keys.emplace_back(length, '\0');
      keys.back()[i] = '\x01';
    }
  }
  std::vector<std::shared_ptr<Plan>> plans;
  for (const auto& key : keys) plans.push_back(cache.get(key, [&] { return make_plan(*device); }));
  CHECK(driver.plans == keys.size());
  for (size_t i = 0; i < keys.size(); ++i) CHECK(cache.get(keys[i], [&] { return make_plan(*device); }) == plans[i]);
  CHECK(driver.plans == keys.size());
}

TEST_CASE("plan cache: a failure is thrown and tried again") {
  fake::State& driver = fake::reset();
  auto device = fake::device();
  PlanCache cache;
  driver.fail_plan = 1;
  const auto get = [&] { return cache.get("key", [&] { return make_plan(*device); }); };
  CHECK_THROWS_WITH_AS(get(), "[plan] injected", Error);
  CHECK(cache.stats().size == 0);
  CHECK(get() != nullptr);
  CHECK(driver.plans == 2);
  CHECK(driver.errors_live == 0);
}

TEST_CASE("plan cache: making one plan may need another") {
  fake::reset();
  auto device = fake::device();
  PlanCache cache;
  const auto outer = cache.get("outer", [&] {
    cache.get("inner", [&] { return make_plan(*device); });
    return make_plan(*device);
  });
  CHECK(outer != nullptr);
  CHECK(cache.stats().size == 2);
}

TEST_CASE("plan cache: threads") {
  fake::State& driver = fake::reset();
  auto device = fake::device();
  {
    PlanCache cache(16);
    std::vector<std::thread> threads;
    for (uint32_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (uint32_t i = 0; i < 3000; ++i) {
          const std::string key = "key " + std::to_string((i * (t + 1)) % 24);
          CHECK(cache.get(key, [&] { return make_plan(*device); })->variant() == "default");
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    const auto stats = cache.stats();
    CHECK(stats.hits + stats.misses == 12000);
    CHECK(stats.size <= 16);
    CHECK(driver.live_plans.size() == stats.size);
  }
  CHECK(driver.live_plans.empty());
}
