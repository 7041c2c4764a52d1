// The caching allocator over a backend whose memory is numbers (fake.hpp).
#include "core/allocator.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <map>
#include <random>
#include <thread>

#include "core/address_map.hpp"
#include "failure.hpp"
#include "fake.hpp"

using namespace oncilla;
using test::failure, test::has;

namespace {

constexpr uint64_t KiB = 1024, MiB = 1024 * KiB, GiB = 1024 * MiB;

struct Fixture {
  fake::State& driver = fake::reset();
  std::shared_ptr<Device> device;
  std::unique_ptr<Queue> queue;
  Allocator* memory = nullptr;
  Fixture() { open(); }
  void open() {
    queue.reset();
    device = fake::device();
    queue = device->create_queue();
    memory = &device->allocator();
  }
  ~Fixture() {
    queue.reset();
    device.reset();
    CHECK(driver.bytes == 0);
    CHECK(driver.buffers.empty());
    CHECK(driver.events.empty());
    CHECK(driver.queues.empty());
    CHECK(driver.errors_live == 0);
    CHECK(driver.devices_live == 0);
  }
  static void work(Queue& on) { ++on.handle()->progress->enqueued; }
  static void complete(Queue& on) { on.handle()->progress->done = on.handle()->progress->enqueued; }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "allocator: nothing asked, nothing given") {
  const Block block = memory->allocate(0, *queue);
  CHECK(block.address == nullptr);
  memory->free(block.address);
  CHECK(memory->stats().allocation.all.added == 0);
  CHECK(driver.alloc_calls == 0);
}

TEST_CASE_FIXTURE(Fixture, "allocator: sizes and segments") {
  const Block a = memory->allocate(1, *queue), b = memory->allocate(513, *queue);
  CHECK(a.bytes == 512);
  CHECK(b.bytes == 1024);
  CHECK(a.at.buffer == b.at.buffer);  // one small segment
  CHECK(driver.bytes == 2 * MiB);
  const Block m = memory->allocate(MiB + 1, *queue), n = memory->allocate(16 * MiB, *queue);
  CHECK(m.at.buffer == n.at.buffer);  // one medium segment
  CHECK(driver.bytes == 34 * MiB);
  const Block large = memory->allocate(17 * MiB, *queue);
  CHECK(large.at.buffer->bytes == 18 * MiB);
  const MemoryStats stats = memory->stats();
  CHECK(stats.requested_bytes.all.current == 1 + 513 + MiB + 1 + 16 * MiB + 17 * MiB);
  CHECK(stats.active_bytes.all.current == 512 + 1024 + MiB + 512 + 16 * MiB + large.bytes);
  CHECK(stats.reserved_bytes.all.current == driver.bytes);
  CHECK(stats.segment.all.current == 3);
  CHECK(stats.allocation.all.added == 5);
  for (const Block& block : {a, b, m, n, large}) {
    const auto place = AddressMap::get().at(block.address);
    CHECK(place.device == device.get());
    CHECK(place.at.buffer == block.at.buffer);
    CHECK(place.at.offset == block.at.offset);
    CHECK(place.remaining == block.at.buffer->bytes - block.at.offset);
    memory->free(block.address);
  }
  CHECK(memory->stats().requested_bytes.all.current == 0);
  CHECK(memory->stats().active_bytes.all.current == 0);
  CHECK(memory->stats().requested_bytes.all.peak == stats.requested_bytes.all.current);
  CHECK(memory->stats().active_bytes.all.peak == stats.active_bytes.all.current);
  memory->reset_peaks();
  CHECK(memory->stats().requested_bytes.all.peak == 0);
  CHECK(memory->stats().reserved_bytes.all.peak == driver.bytes);
}

TEST_CASE_FIXTURE(Fixture, "allocator: a freed block is reused at once on its queue, and neighbours merge") {
  const Block a = memory->allocate(600 * KiB, *queue), b = memory->allocate(600 * KiB, *queue),
              c = memory->allocate(600 * KiB, *queue);
  CHECK(driver.bytes == 2 * MiB);
  memory->free(a.address);
  CHECK(memory->allocate(600 * KiB, *queue).address == a.address);
  memory->free(a.address);
  memory->free(c.address);
  memory->free(b.address);  // joins both sides and the segment's rest
  const Block whole = memory->allocate(MiB, *queue);
  CHECK(whole.address == a.address);
  CHECK(driver.alloc_calls == 1);
  memory->free(whole.address);
  memory->release_cached();
  CHECK(driver.bytes == 0);
  CHECK(memory->stats().reserved_bytes.all.current == 0);
  CHECK(memory->stats().segment.all.current == 0);
  CHECK_FALSE(AddressMap::get().find(whole.address).has_value());
}

TEST_CASE_FIXTURE(Fixture, "allocator: blocks keep the device's alignment") {
  driver.base_align = 4096;
  open();
  for (int i = 0; i < 5; ++i) {
    const Block block = memory->allocate(100, *queue);
    CHECK(block.at.offset % 4096 == 0);
    CHECK(block.bytes == 4096);
  }
}

TEST_CASE_FIXTURE(Fixture, "allocator: segments stay below max_alloc_bytes") {
  driver.max_alloc = 5 * MiB + 100;
  open();
  CHECK(memory->allocate(2 * MiB, *queue).at.buffer->bytes == 5 * MiB);
  CHECK(memory->allocate(5 * MiB, *queue).at.buffer->bytes == 5 * MiB);
  CHECK(memory->allocate(5 * MiB + 100, *queue).at.buffer->bytes == 5 * MiB + 100);
  const uint64_t calls = driver.alloc_calls;
  const std::string message = failure([&] { memory->allocate(5 * MiB + 101, *queue); }, ONC_OUT_OF_MEMORY);
  CHECK(has(message, "5242981"));
  CHECK(has(message, "5242980"));
  CHECK(driver.alloc_calls == calls);
}

TEST_CASE_FIXTURE(Fixture, "allocator: more than the device has is refused without asking the driver") {
  driver.max_alloc = 16 * GiB;
  open();
  const std::string message = failure([&] { memory->allocate(9 * GiB, *queue); }, ONC_OUT_OF_MEMORY);
  CHECK(has(message, "9.00 GiB (9663676416 bytes)"));
  CHECK(has(message, "8.00 GiB (8589934592 bytes)"));
  failure([&] { memory->allocate(UINT64_MAX, *queue); }, ONC_OUT_OF_MEMORY);
  failure([&] { memory->allocate(UINT64_MAX - 511, *queue); }, ONC_OUT_OF_MEMORY);
  CHECK(driver.alloc_calls == 0);
  CHECK(driver.waits == 0);
  CHECK(memory->stats().retries == 0);
  CHECK(memory->stats().segment.all.current == 0);
}

TEST_CASE_FIXTURE(Fixture, "allocator: a driver that refuses a whole segment is asked for what is needed") {
  driver.fail_alloc = 1;
  const Block block = memory->allocate(2 * MiB, *queue);
  CHECK(block.at.buffer->bytes == 2 * MiB);
  CHECK(memory->stats().retries == 0);
}

TEST_CASE_FIXTURE(Fixture, "allocator: flush, release and retry once") {
  const Block cached = memory->allocate(20 * MiB, *queue);
  memory->free(cached.address);
  driver.capacity = 40 * MiB;  // 20 of them are in the cache
  const Block block = memory->allocate(30 * MiB, *queue);
  CHECK(driver.waits == 1);
  CHECK(memory->stats().retries == 1);
  CHECK(memory->stats().reserved_bytes.all.current == 30 * MiB);
  CHECK(driver.bytes == 30 * MiB);
  memory->free(block.address);
}

TEST_CASE_FIXTURE(Fixture, "allocator: out of memory states the sizes") {
  const Block held = memory->allocate(3 * MiB, *queue);
  driver.fail_alloc = -1;
  const std::string message = failure([&] { memory->allocate(64 * MiB, *queue); }, ONC_OUT_OF_MEMORY);
  CHECK(has(message, "asked for 64.00 MiB (67108864 bytes)"));
  CHECK(has(message, "allocated 3.00 MiB (3145728 bytes)"));
  CHECK(has(message, "reserved 32.00 MiB (33554432 bytes)"));
  CHECK(has(message, "device size 8.00 GiB (8589934592 bytes)"));
  CHECK(has(message, "injected"));
  CHECK(memory->stats().out_of_memory == 1);
  CHECK(memory->stats().requested_bytes.all.current == 3 * MiB);
  driver.fail_alloc = 0;
  CHECK(memory->allocate(64 * MiB, *queue).address != nullptr);  // usable afterwards
  memory->free(held.address);
}

TEST_CASE_FIXTURE(Fixture, "allocator: an error that is not about memory passes through") {
  driver.fail_alloc = 1;
  driver.alloc_code = ONC_DEVICE_LOST;
  failure([&] { memory->allocate(64, *queue); }, ONC_DEVICE_LOST);
  CHECK(memory->stats().retries == 0);
  CHECK(driver.waits == 0);
}

TEST_CASE_FIXTURE(Fixture, "allocator: cap") {
  CHECK(memory->cap() == 8 * GiB);
  memory->set_cap(10 * MiB);
  CHECK(memory->cap() == 10 * MiB);
  const Block a = memory->allocate(4 * MiB, *queue);
  CHECK(driver.bytes <= 10 * MiB);
  const Block b = memory->allocate(4 * MiB, *queue);
  CHECK(driver.bytes <= 10 * MiB);
  const std::string message = failure([&] { memory->allocate(4 * MiB, *queue); }, ONC_OUT_OF_MEMORY);
  CHECK(has(message, "memory cap 10.00 MiB"));
  CHECK(has(failure([&] { memory->allocate(11 * MiB, *queue); }, ONC_OUT_OF_MEMORY), "the memory cap is 10.00 MiB"));
  memory->free(a.address);
  memory->free(b.address);
  const Block all = memory->allocate(9 * MiB, *queue);  // after what is cached was merged or given back
  CHECK(driver.bytes <= 10 * MiB);
  memory->free(all.address);
  memory->set_cap(0);
  CHECK(memory->cap() == 8 * GiB);
}

TEST_CASE_FIXTURE(Fixture, "allocator: a queue of another device") {
  auto other = fake::device();
  const Block block = memory->allocate(10, *queue);
  const auto strange = other->create_queue();
  CHECK(has(failure([&] { memory->allocate(10, *strange); }, ONC_INVALID_ARGUMENT), "the queue belongs to device fake zero"));
  failure([&] { memory->record_use(block.address, *strange); }, ONC_INVALID_ARGUMENT);
}

TEST_CASE("allocator: settings from the environment") {
  fake::reset();
  setenv("ONCILLA_MEMORY_CAP", "1.5G", 1);
  CHECK(fake::device()->allocator().cap() == GiB + GiB / 2);
  setenv("ONCILLA_MEMORY_CAP", "64m", 1);
  CHECK(fake::device()->allocator().cap() == 64 * MiB);
  for (const char* bad : {"lots", "12Q", "-1", "1e30", "nan"}) {
    setenv("ONCILLA_MEMORY_CAP", bad, 1);
    CHECK(has(failure([] { fake::device(); }, ONC_INVALID_ARGUMENT), bad));
  }
  unsetenv("ONCILLA_MEMORY_CAP");
  setenv("ONCILLA_POISON", "1", 1);
  auto device = fake::device();
  unsetenv("ONCILLA_POISON");
  auto queue = device->create_queue();
  device->allocator().allocate(10, *queue);
  CHECK(fake::state().fills.size() == 1);
  queue.reset();
  device.reset();
  CHECK(fake::state().devices_live == 0);
}

TEST_CASE_FIXTURE(Fixture, "allocator: poison fills fresh and reused blocks") {
  memory->set_poison(true);
  Block block = memory->allocate(700, *queue);
  REQUIRE(driver.fills.size() == 1);
  CHECK(driver.fills[0].buffer == block.at.buffer);
  CHECK(driver.fills[0].offset == block.at.offset);
  CHECK(driver.fills[0].bytes == 1024);
  CHECK(driver.fills[0].pattern == 0xFFFFFFFFu);
  memory->free(block.address);
  block = memory->allocate(700, *queue);
  CHECK(driver.fills.size() == 2);
  memory->set_poison(false);
  memory->allocate(700, *queue);
  CHECK(driver.fills.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "allocator: another queue gets a block only behind events") {
  auto other = device->create_queue();
  const Block block = memory->allocate(MiB, *queue);
  work(*queue);
  memory->record_use(block.address, *other);
  memory->record_use(block.address, *other);  // counted once
  work(*other);
  memory->free(block.address);
  CHECK(memory->stats().requested_bytes.all.current == 0);
  CHECK(memory->stats().active_bytes.all.current == MiB);  // still waits
  CHECK(driver.events.size() == 1);
  const Block second = memory->allocate(MiB, *queue);
  CHECK(second.address != block.address);
  complete(*other);
  const Block third = memory->allocate(MiB, *queue);
  CHECK(third.address == block.address);
  CHECK(driver.events.empty());
  memory->free(second.address);
  memory->free(third.address);
}

TEST_CASE_FIXTURE(Fixture, "allocator: queues do not share free blocks until they were finished") {
  auto other = device->create_queue();
  const Block block = memory->allocate(30 * MiB, *queue);
  work(*queue);
  memory->free(block.address);
  const Block apart = memory->allocate(30 * MiB, *other);
  CHECK(apart.address != block.address);
  memory->free(apart.address);
  driver.capacity = driver.bytes;
  const Block both = memory->allocate(30 * MiB, *other);  // its own first
  CHECK(both.address == apart.address);
  CHECK(driver.waits == 0);
  const Block shared = memory->allocate(30 * MiB, *other);  // the driver refuses: finish, then take the other's
  CHECK(shared.address == block.address);
  CHECK(driver.waits == 2);
  memory->free(both.address);
  memory->free(shared.address);
}

// Other threads go on while queues are being finished.
TEST_CASE_FIXTURE(Fixture, "allocator: a block freed after its queue was finished is not shared") {
  auto other = device->create_queue();
  const Block early = memory->allocate(8 * MiB, *queue), late = memory->allocate(8 * MiB, *queue),
              kept = memory->allocate(16 * MiB, *queue);
  CHECK(driver.bytes == 32 * MiB);
  driver.capacity = driver.bytes;
  const auto free_with_work = [&] {
    work(*queue);
    memory->free(late.address);
  };
  driver.on_wait = free_with_work;
  failure([&] { memory->allocate(8 * MiB, *other); }, ONC_OUT_OF_MEMORY);
  memory->free(early.address);
  const Block shared = memory->allocate(8 * MiB, *other);  // a finish later both are
  CHECK(shared.address == early.address);
  memory->free(kept.address);
}

TEST_CASE_FIXTURE(Fixture, "allocator: the blocks of a queue that is gone serve all") {
  auto other = device->create_queue();
  const Block live = memory->allocate(MiB, *other), dead = memory->allocate(MiB, *other);
  work(*other);
  memory->free(dead.address);
  other.reset();  // finishes
  CHECK(driver.finishes == 1);
  CHECK(memory->allocate(MiB, *queue).address == dead.address);
  memory->free(live.address);
  CHECK(memory->allocate(MiB, *queue).address == live.address);
  CHECK(driver.alloc_calls == 1);
}

TEST_CASE_FIXTURE(Fixture, "allocator: a user queue that is gone needs no event") {
  auto other = device->create_queue();
  const Block block = memory->allocate(MiB, *queue);
  memory->record_use(block.address, *other);
  other.reset();
  memory->free(block.address);
  CHECK(memory->stats().active_bytes.all.current == 0);
  CHECK(memory->allocate(MiB, *queue).address == block.address);
}

TEST_CASE_FIXTURE(Fixture, "allocator: a queue that cannot record is finished instead") {
  auto other = device->create_queue();
  const Block block = memory->allocate(MiB, *queue);
  memory->record_use(block.address, *other);
  driver.fail_record = 1;
  driver.fail_finish = 1;
  memory->free(block.address);
  CHECK(driver.finishes == 1);
  CHECK(memory->allocate(MiB, *queue).address == block.address);
}

TEST_CASE_FIXTURE(Fixture, "allocator: addresses that are not live blocks") {
  int local = 0;
  CHECK(has(failure([&] { memory->free(&local); }, ONC_INVALID_ARGUMENT), "is not the address of a live block"));
  const Block block = memory->allocate(10, *queue);
  failure([&] { memory->free(static_cast<char*>(block.address) + 1); }, ONC_INVALID_ARGUMENT);
  memory->free(block.address);
  failure([&] { memory->free(block.address); }, ONC_INVALID_ARGUMENT);
  failure([&] { memory->record_use(block.address, *queue); }, ONC_INVALID_ARGUMENT);
  CHECK(memory->stats().allocation.all.removed == 1);
}

namespace {

// What the random test knows: who uses which bytes, and which pending work still touches them.
struct Model {
  struct Live {
    Block block;
    uint64_t asked;
    std::vector<size_t> users;  // queues, the owner first
  };
  struct Touch {
    uint64_t buffer;  // id
    uint64_t begin, end;
    size_t queue;
    uint64_t number;
  };
  std::vector<std::unique_ptr<Queue>>& queues;
  std::map<void*, Live> live;
  std::vector<Touch> touches;
  uint64_t allocated = 0;

  void use(const Block& block, size_t queue) {
    Fixture::work(*queues[queue]);
    touches.push_back(
        {block.at.buffer->id, block.at.offset, block.at.offset + block.bytes, queue, queues[queue]->handle()->progress->enqueued});
  }
  void given(const Block& block, uint64_t asked, size_t queue) {
    REQUIRE(block.bytes >= asked);
    REQUIRE(block.at.offset % 512 == 0);
    const auto* at = static_cast<const char*>(block.address);
    const auto next = live.lower_bound(block.address);
    if (next != live.end()) REQUIRE(at + block.bytes <= static_cast<const char*>(next->first));
    if (next != live.begin()) {
      const auto before = std::prev(next);
      REQUIRE(static_cast<const char*>(before->first) + before->second.block.bytes <= at);
    }
    const auto& fake = fake::state().buffers;
    REQUIRE(fake.contains(block.at.buffer));
    REQUIRE(block.at.offset + block.bytes <= block.at.buffer->bytes);
    std::erase_if(touches, [&](const Touch& touch) { return touch.number <= queues[touch.queue]->handle()->progress->done; });
    for (const Touch& touch : touches) {
      const bool overlaps =
          touch.buffer == block.at.buffer->id && touch.begin < block.at.offset + block.bytes && block.at.offset < touch.end;
      REQUIRE_FALSE((overlaps && touch.queue != queue));  // pending work of another queue on memory that is handed out
    }
    live[block.address] = {block, asked, {queue}};
    allocated += asked;
  }
};

}  // namespace

TEST_CASE("allocator: random sequences against a model") {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    fake::State& driver = fake::reset();
    driver.capacity = 200 * MiB;
    auto device = fake::device();
    Allocator& memory = device->allocator();
    std::vector<std::unique_ptr<Queue>> queues;
    for (int i = 0; i < 3; ++i) queues.push_back(device->create_queue());
    Model model{queues, {}, {}, 0};
    std::mt19937 random(seed);
    const auto below = [&](uint64_t n) { return random() % n; };
    uint64_t refused = 0;
    for (int step = 0; step < 3000; ++step) {
      const size_t q = below(queues.size());
      switch (below(10)) {
        case 0:
        case 1:
        case 2:
        case 3: {
          const uint64_t scale = below(3) == 0 ? 30 * MiB : below(2) == 0 ? 3 * MiB : 200 * KiB;
          const uint64_t asked = 1 + below(scale);
          try {
            const Block block = memory.allocate(asked, *queues[q]);
            model.given(block, asked, q);
            model.use(block, q);
          } catch (const OutOfMemory&) {
            ++refused;
          }
          break;
        }
        case 4:
        case 5:
        case 6:
        case 7: {
          if (model.live.empty()) break;
          const auto it = std::next(model.live.begin(), static_cast<int64_t>(below(model.live.size())));
          model.allocated -= it->second.asked;
          memory.free(it->first);
          model.live.erase(it);
          break;
        }
        case 8: {
          if (model.live.empty()) break;
          const auto it = std::next(model.live.begin(), static_cast<int64_t>(below(model.live.size())));
          memory.record_use(it->first, *queues[q]);
          model.use(it->second.block, q);
          break;
        }
        default:
          if (below(20) == 0) memory.release_cached();
          Fixture::complete(*queues[q]);
      }
      const MemoryStats stats = memory.stats();
      REQUIRE(stats.requested_bytes.all.current == model.allocated);
      REQUIRE(stats.active_bytes.all.current >= stats.requested_bytes.all.current);
      REQUIRE(stats.reserved_bytes.all.current >= stats.active_bytes.all.current);
      REQUIRE(stats.reserved_bytes.all.current == driver.bytes);
      REQUIRE(stats.segment.all.current == driver.buffers.size());
    }
    CHECK(refused > 0);  // the pressure was real
    for (auto& entry : model.live) memory.free(entry.first);
    queues.clear();
    memory.release_cached();
    CHECK(memory.stats().active_bytes.all.current == 0);
    CHECK(driver.bytes == 0);
    device.reset();
    CHECK(driver.events.empty());
  }
}

TEST_CASE("allocator: threads, each with its queue, and blocks that change hands") {
  fake::State& driver = fake::reset();
  driver.capacity = 64 * MiB;
  auto device = fake::device();
  Allocator& memory = device->allocator();
  auto common = device->create_queue();
  std::mutex mutex;
  std::vector<void*> handed;
  std::vector<std::thread> threads;
  std::atomic<uint64_t> served{0};
  for (uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      auto queue = device->create_queue();
      std::mt19937 random(t);
      for (int i = 0; i < 1500; ++i) {
        try {
          const Block block = memory.allocate(1 + random() % (random() % 8 == 0 ? 9 * MiB : 64 * KiB), *queue);
          ++served;
          if (random() % 3 == 0) memory.record_use(block.address, *common);
          std::lock_guard lock(mutex);
          handed.push_back(block.address);
        } catch (const OutOfMemory&) {
        }
        void* victim = nullptr;
        {
          std::lock_guard lock(mutex);
          if (handed.size() > 8) {
            victim = handed[random() % handed.size()];
            std::erase(handed, victim);
          }
        }
        if (victim != nullptr) {
          CHECK(AddressMap::get().find(victim).has_value());
          memory.free(victim);
        }
        if (i % 100 == 0) memory.stats();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (void* address : handed) memory.free(address);
  CHECK(served > 4000);
  common.reset();
  memory.release_cached();
  CHECK(memory.stats().requested_bytes.all.current == 0);
  CHECK(driver.bytes == 0);
  device.reset();
}

TEST_CASE_FIXTURE(Fixture, "allocator: counters by pool, and parts of segments") {
  const Block small = memory->allocate(100, *queue), large = memory->allocate(3 * MiB, *queue);
  MemoryStats stats = memory->stats();
  CHECK(stats.allocated_bytes.small.current == 512);
  CHECK(stats.allocated_bytes.large.current == 3 * MiB);
  CHECK(stats.requested_bytes.all.current == 100 + 3 * MiB);
  CHECK(stats.inactive_split.all.current == 2);
  CHECK(stats.inactive_split_bytes.small.current == 2 * MiB - 512);
  CHECK(stats.inactive_split_bytes.large.current == 29 * MiB);
  memory->free(small.address);
  stats = memory->stats();
  CHECK(stats.inactive_split_bytes.small.current == 2 * MiB);  // two parts: any queue may take the rest of a new segment
  CHECK(stats.allocation.small.removed == 1);
  CHECK(stats.active.all.current == 1);
  memory->reset_accumulated();
  CHECK(memory->stats().allocation.all.added == 0);
  memory->free(large.address);
  memory->release_cached();
  stats = memory->stats();
  CHECK(stats.segment.all.current == 0);
  CHECK(stats.segment.all.removed == 2);
  CHECK(stats.reserved_bytes.all.current == 0);
}

TEST_CASE_FIXTURE(Fixture, "allocator: snapshot and observer") {
  struct Seen {
    MemoryAction action;
    uint64_t address, bytes;
  };
  std::vector<Seen> seen;
  memory->observe([&](MemoryAction action, uint64_t address, uint64_t bytes, uint64_t) {
    seen.push_back({action, address, bytes});
  });
  auto other = device->create_queue();
  const Block a = memory->allocate(1000, *queue), b = memory->allocate(2000, *queue);
  memory->record_use(b.address, *other);
  work(*other);
  memory->free(a.address);
  memory->free(b.address);
  const auto segments = memory->snapshot();
  REQUIRE(segments.size() == 1);
  CHECK(segments[0].small);
  REQUIRE(segments[0].blocks.size() == 3);
  CHECK(segments[0].blocks[0].state == BlockView::kFree);
  CHECK(segments[0].blocks[1].state == BlockView::kWaiting);
  CHECK(segments[0].blocks[1].address == reinterpret_cast<uint64_t>(b.address));
  CHECK(segments[0].blocks[2].state == BlockView::kFree);
  complete(*other);
  memory->free(memory->allocate(3000, *queue).address);
  const auto address = reinterpret_cast<uint64_t>(b.address);
  const auto actions = [&](uint64_t at) {
    std::vector<MemoryAction> out;
    for (const Seen& one : seen) {
      if (one.address == at) out.push_back(one.action);
    }
    return out;
  };
  CHECK(actions(address) == std::vector{MemoryAction::kAllocate, MemoryAction::kFreeRequested, MemoryAction::kFreeCompleted});
  CHECK(seen.front().action == MemoryAction::kSegmentAllocate);
  CHECK(seen.front().bytes == 2 * MiB);
  memory->observe({});
  const size_t count = seen.size();
  memory->free(memory->allocate(1, *queue).address);
  CHECK(seen.size() == count);
}
