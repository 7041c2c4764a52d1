// Addresses of device memory: unique, far from each other, and resolved back.
#include "core/address_map.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "core/error.hpp"

using namespace oncilla;

namespace {

onc_buffer* buffer(uintptr_t n) { return reinterpret_cast<onc_buffer*>(n * 16 + 16); }
Device* const kDevice = reinterpret_cast<Device*>(uintptr_t{64});

}  // namespace

TEST_CASE("address map: interior, end, gap, erase") {
  AddressMap& map = AddressMap::get();
  for (const uint64_t bytes :
       {uint64_t{1}, uint64_t{4096}, uint64_t{2} << 20, (uint64_t{2} << 20) - 1, (uint64_t{2} << 20) + 1, uint64_t{5} << 30}) {
    CAPTURE(bytes);
    auto* base = static_cast<char*>(map.insert(kDevice, buffer(1), bytes));
    auto* next = static_cast<char*>(map.insert(kDevice, buffer(2), bytes));
    CHECK(reinterpret_cast<uintptr_t>(base) % 4096 == 0);
    CHECK(next > base + bytes);  // a gap
    for (const uint64_t offset : {uint64_t{0}, bytes / 2, bytes - 1, bytes}) {
      const auto place = map.find(base + offset);
      REQUIRE(place.has_value());
      CHECK(place->device == kDevice);
      CHECK(place->at.buffer == buffer(1));
      CHECK(place->at.offset == offset);
      CHECK(place->remaining == bytes - offset);
    }
    CHECK_FALSE(map.find(base + bytes + 1).has_value());
    CHECK(map.contains(base + bytes + 1));
    map.erase(base);
    CHECK_FALSE(map.find(base).has_value());
    CHECK(map.contains(base));
    CHECK(map.find(next).has_value());
    map.erase(next);
  }
}

TEST_CASE("address map: foreign addresses") {
  AddressMap& map = AddressMap::get();
  int local = 0;
  CHECK_FALSE(map.find(&local).has_value());
  CHECK_FALSE(map.find(nullptr).has_value());
  CHECK_FALSE(map.contains(&local));
  CHECK_FALSE(map.contains(nullptr));
  CHECK_THROWS_WITH_AS(map.at(nullptr), doctest::Contains("is not an address of device memory"), Error);
  void* base = map.insert(kDevice, buffer(1), 100);
  CHECK_THROWS_WITH_AS(map.erase(static_cast<char*>(base) + 1), doctest::Contains("not the start of a live buffer"), Error);
  CHECK_THROWS_AS(map.at(static_cast<char*>(base) + 101), Error);
  map.erase(base);
  CHECK_THROWS_WITH_AS(map.at(base), doctest::Contains("belongs to no live device memory"), Error);
  CHECK_THROWS_AS(map.erase(base), Error);
  CHECK_THROWS_AS(map.erase(&local), Error);
  CHECK_THROWS_WITH_AS(map.insert(kDevice, buffer(1), uint64_t{1} << 60), doctest::Contains("1152921504606846976"), Error);
}

TEST_CASE("address map: many buffers, with addresses handed out again") {
  AddressMap& map = AddressMap::get();
  struct Live {
    char* base;
    uint64_t bytes;
    uintptr_t id;
  };
  std::vector<Live> live;
  std::mt19937_64 random(7);
  for (uintptr_t i = 0; i < 20000; ++i) {
    if (live.size() < 200 || random() % 2 == 0) {
      const uint64_t bytes = 1 + random() % (uint64_t{1} << (10 + random() % 24));
      live.push_back({static_cast<char*>(map.insert(kDevice, buffer(i), bytes)), bytes, i});
    } else {
      std::swap(live[random() % live.size()], live.back());
      map.erase(live.back().base);
      live.pop_back();
    }
    const Live& any = live[random() % live.size()];
    const uint64_t offset = random() % (any.bytes + 1);
    const auto place = map.find(any.base + offset);
    REQUIRE(place.has_value());
    REQUIRE(place->at.buffer == buffer(any.id));
    REQUIRE(place->at.offset == offset);
  }
  for (const Live& entry : live) map.erase(entry.base);
}

TEST_CASE("address map: lookups while others insert and erase") {
  AddressMap& map = AddressMap::get();
  auto* stable = static_cast<char*>(map.insert(kDevice, buffer(42), 10 << 20));
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3000; ++i) {
        void* base = map.insert(kDevice, buffer(1), 1 << 20);
        CHECK(map.find(base)->at.buffer == buffer(1));
        map.erase(base);
      }
      stop = true;
    });
  }
  uint64_t looked = 0;
  while (!stop || looked < 1000) {
    const auto place = map.find(stable + looked % (10 << 20));
    REQUIRE(place.has_value());
    REQUIRE(place->at.buffer == buffer(42));
    ++looked;
  }
  for (std::thread& thread : threads) thread.join();
  map.erase(stable);
}
