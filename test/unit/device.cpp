// The core over real plugins: every one that was built is run through copies, fills, maps, events, a tape, random draws and memory
// churn.
#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <numeric>
#include <random>
#include <thread>

#include "core/allocator.hpp"
#include "core/op.hpp"
#include "core/philox.hpp"
#include "core/trace.hpp"

using namespace oncilla;

namespace {

// The first device of each plugin that lies beside the core's library. Kept open: a driver need not survive being opened per test.
const std::vector<std::shared_ptr<Device>>& devices() {
  static const auto* list = [] {
    auto* opened = new std::vector<std::shared_ptr<Device>>;
    for (const char* name : {"reference", "opencl"}) {
      const std::string path = std::string(ONC_TEST_LIB_DIR) + "/liboncilla_" + name + ".so";
      if (::access(path.c_str(), F_OK) != 0) continue;
      auto backend = Backend::load(path);
      CHECK(Backend::load(path) == backend);
      CHECK(Backend::named(name) == backend);  // the core's library lies there too
      opened->push_back(Device::open(backend, 0));
    }
    return opened;
  }();
  return *list;
}

struct Tools {
  Device& device;
  std::unique_ptr<Queue> queue = device.create_queue();
  std::vector<void*> held;

  explicit Tools(Device& device) : device(device) {}
  ~Tools() {
    for (void* address : held) device.allocator().free(address);
  }
  onc_arg make(uint64_t bytes) {
    const Block block = device.allocator().allocate(bytes, *queue);
    held.push_back(block.address);
    return block.at;
  }
  template <class T>
  onc_arg put(const std::vector<T>& values) {
    const onc_arg at = make(values.size() * sizeof(T));
    queue->copy_h2d(at, values.data(), values.size() * sizeof(T));
    return at;
  }
  template <class T>
  std::vector<T> take(onc_arg at, size_t count) {
    std::vector<T> values(count);
    queue->copy_d2h(values.data(), at, count * sizeof(T));
    return values;
  }
};

onc_arg operator+(onc_arg at, uint64_t bytes) { return {at.buffer, at.offset + bytes}; }

template <class F>
void on_each(F&& test) {
  for (const auto& device : devices()) {
    CAPTURE(device->backend().name());
    Tools tools(*device);
    test(tools, *tools.queue);
    tools.queue->finish();
  }
}

std::vector<uint8_t> counting(size_t n, int seed) {
  std::vector<uint8_t> bytes(n);
  for (size_t i = 0; i < n; ++i) bytes[i] = static_cast<uint8_t>(i * 7 + static_cast<size_t>(seed));
  return bytes;
}

}  // namespace

TEST_CASE("device: the reference plugin is there, and describes itself") {
  REQUIRE_FALSE(devices().empty());
  for (const auto& device : devices()) {
    CHECK(std::string(device->info().name) != "");
    CHECK(device->info().memory_bytes > 0);
    CHECK(device->info().max_alloc_bytes > 0);
    CHECK(device->stats().warnings != nullptr);
  }
}

TEST_CASE("device: copies to, from and on the device, at any offset") {
  on_each([](Tools& tools, Queue& queue) {
    for (const size_t n : {size_t{1}, size_t{513}, size_t{3} << 20}) {
      CAPTURE(n);
      const auto bytes = counting(n, 3);
      const onc_arg a = tools.make(n + 64), b = tools.make(n + 64);
      const std::vector<uint8_t> edge(n + 64, 0xEE);
      queue.copy_h2d(a, edge.data(), edge.size());
      queue.copy_h2d(b, edge.data(), edge.size());
      auto source = bytes;
      queue.copy_h2d(a + 5, source.data(), n);
      std::fill(source.begin(), source.end(), uint8_t{0});  // ours again at once
      queue.copy_d2d(b + 9, a + 5, n);
      auto all = tools.take<uint8_t>(b, n + 64);
      CHECK(std::equal(bytes.begin(), bytes.end(), all.begin() + 9));
      CHECK(std::count(all.begin(), all.begin() + 9, 0xEE) == 9);
      CHECK(std::count(all.begin() + 9 + static_cast<int64_t>(n), all.end(), 0xEE) == 55);
      std::vector<uint8_t> later(n);
      queue.copy_h2d(a, bytes.data(), n, ONC_COPY_UNTIL_EVENT);
      queue.copy_d2h(later.data(), a, n, ONC_COPY_UNTIL_EVENT);
      queue.record().sync();
      CHECK(later == bytes);
    }
  });
}

TEST_CASE("device: fills of every pattern size") {
  on_each([](Tools& tools, Queue& queue) {
    auto patterns = std::vector<std::vector<uint8_t>>{counting(16, 1), std::vector<uint8_t>(16, 0x5A), std::vector<uint8_t>(16, 0)};
    // All bytes but the last are the same.
    for (const size_t last : {1, 3, 7, 15}) {
      patterns.push_back(std::vector<uint8_t>(16, 0xFF));
      patterns.back()[last] = 1;
    }
    for (const auto& pattern : patterns) {
      for (const uint32_t size : {1u, 2u, 4u, 8u, 16u}) {
        for (const uint32_t begin : {size, 16 + 3 * size}) {
          CAPTURE(size);
          CAPTURE(begin);
          const uint32_t end = 1024 - size;
          const onc_arg at = tools.put(std::vector<uint8_t>(1024, 0xEE));
          queue.fill(at + begin, end - begin, pattern.data(), size);
          const auto bytes = tools.take<uint8_t>(at, 1024);
          for (size_t i = 0; i < 1024; ++i) REQUIRE(bytes[i] == (i < begin || i >= end ? 0xEE : pattern[(i - begin) % size]));
        }
      }
    }
  });
}

TEST_CASE("device: maps") {
  on_each([](Tools& tools, Queue& queue) {
    const Api& api = tools.device.api();
    if (api.buffer_map == nullptr) return;
    const onc_arg at = tools.put(counting(4096, 0));
    void* host = nullptr;
    api.check(api.buffer_map(queue.handle(), at + 100, 50, ONC_MAP_READ | ONC_MAP_WRITE, &host));
    auto* bytes = static_cast<uint8_t*>(host);
    const auto expected = counting(4096, 0);
    CHECK(std::equal(bytes, bytes + 50, expected.begin() + 100));
    std::fill(bytes, bytes + 50, uint8_t{9});
    api.check(api.buffer_unmap(queue.handle(), at + 100, host));
    const auto now = tools.take<uint8_t>(at, 4096);
    CHECK(std::count(now.begin() + 100, now.begin() + 150, 9) == 50);
    CHECK(now[99] == expected[99]);
    CHECK(now[150] == expected[150]);
  });
}

TEST_CASE("device: events order queues, are timed and call back") {
  on_each([](Tools& tools, Queue& queue) {
    auto second = tools.device.create_queue();
    const auto bytes = counting(1 << 20, 5);
    const onc_arg a = tools.make(bytes.size()), b = tools.make(bytes.size());
    for (int i = 0; i < 10; ++i) {
      const uint8_t mark = static_cast<uint8_t>(i);
      queue.fill(a, bytes.size(), &mark, 1);
      Event filled = queue.record();
      second->wait(filled);
      second->copy_d2d(b, a, bytes.size());
      Event copied = second->record();
      queue.wait(copied);
      std::vector<uint8_t> got(bytes.size());
      second->copy_d2h(got.data(), b, got.size());
      CHECK(copied.done());
      CHECK(std::count(got.begin(), got.end(), mark) == static_cast<int64_t>(got.size()));
    }
    auto timed = tools.device.create_queue(true);
    CHECK(timed->profiling());
    const Event start = timed->record();
    timed->copy_h2d(a, bytes.data(), bytes.size());
    const Event end = timed->record();
    end.sync();
    const double nanoseconds = end.elapsed_ns(start);
    CHECK(nanoseconds >= 0);
    CHECK(nanoseconds < 60e9);

    const Api& api = tools.device.api();
    if (api.event_then == nullptr) return;
    static std::atomic<int> calls;
    calls = 0;
    Event event = queue.record();
    api.check(api.event_then(
        event.handle(), [](void* user) { static_cast<std::atomic<int>*>(user)->fetch_add(1); }, &calls));
    event.sync();
    for (int i = 0; i < 2000 && calls == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CHECK(calls == 1);
    event = Event();
    queue.finish();
    CHECK(calls == 1);
  });
}

TEST_CASE("device: a tape through Op, strided and broadcast") {
  on_each([](Tools& tools, Queue& queue) {
    std::vector<float> x(6 * 35), y(7);
    std::iota(x.begin(), x.end(), 1.0f);
    std::iota(y.begin(), y.end(), 0.5f);
    const onc_arg dx = tools.put(x), dy = tools.put(y), dz = tools.make(6 * 5 * 7 * sizeof(float));
    Tape tape;
    const Value a = tape.input(ONC_F32), b = tape.input(ONC_F32);
    tape.output(a + tape.scalar(ONC_F32) * b);
    const std::vector<int64_t> dims{5, 6, 7}, strides{7, 35, 1}, broadcast{0, 0, 1}, plain{42, 7, 1};
    for (const double scale : {1.0, -2.0}) {
      Op(ONC_OP_EXPR)
          .tape(tape, dims)
          .in({dx, ONC_F32, dims, strides})
          .in({dy, ONC_F32, dims, broadcast})
          .out({dz, ONC_F32, dims, plain})
          .scalar(scale)
          .run(queue);
      const auto z = tools.take<float>(dz, 210);
      for (int i = 0; i < 5; ++i) {
        for (int j = 0; j < 6; ++j) {
          for (int k = 0; k < 7; ++k) REQUIRE(z[i * 42 + j * 7 + k] == x[i * 7 + j * 35 + k] + static_cast<float>(scale) * y[k]);
        }
      }
    }
    CHECK(tools.device.plans().stats().hits >= 1);
  });
}

// One more than each element, in place: the smallest plan there is, whose launches wait for others where the tuning database says
// so.
static void add_one(Queue& queue, onc_arg at, int64_t count) {
  const std::vector<int64_t> dims{count}, strides{1};
  Tape tape;
  tape.output(tape.input(ONC_F32) + 1.0);
  Op(ONC_OP_EXPR).tape(tape, dims).in({at, ONC_F32, dims, strides}).out({at, ONC_F32, dims, strides}).run(queue);
}

TEST_CASE("device: many small launches keep their order with large ones and with copies") {
  on_each([](Tools& tools, Queue& queue) {
    constexpr int64_t kSmall = 5, kLarge = 1 << 18;
    const onc_arg at = tools.put(std::vector<float>(kLarge, 0.0f)), other = tools.make(kSmall * sizeof(float));
    float expected = 0;
    for (int i = 0; i < 700; ++i) {
      add_one(queue, at, i % 97 == 96 ? kLarge : kSmall);
      ++expected;
      if (i % 31 != 30) continue;
      queue.copy_d2d(other, at, kSmall * sizeof(float));
      REQUIRE(tools.take<float>(other, kSmall) == std::vector<float>(kSmall, expected));
    }
    CHECK(tools.take<float>(at, kSmall) == std::vector<float>(kSmall, expected));
    CHECK(tools.take<float>(at + (kLarge - 1) * sizeof(float), 1)[0] == 7);
  });
}

TEST_CASE("device: an event that is only asked completes, and another queue may build on it") {
  on_each([](Tools& tools, Queue& queue) {
    auto second = tools.device.create_queue();
    const onc_arg at = tools.put(std::vector<float>(5, 0.0f));
    for (int i = 0; i < 20; ++i) {
      add_one(queue, at, 5);
      Event here = queue.record();
      second->wait(here);
      add_one(*second, at, 5);
      Event there = second->record();
      queue.wait(there);
      const auto begin = std::chrono::steady_clock::now();
      while (!there.done()) REQUIRE(std::chrono::steady_clock::now() - begin < std::chrono::seconds(30));
    }
    CHECK(tools.take<float>(at, 5) == std::vector<float>(5, 40.0f));
    add_one(*second, at, 5);
    second.reset();  // what waits is enqueued
    const auto begin = std::chrono::steady_clock::now();
    while (tools.take<float>(at, 5) != std::vector<float>(5, 41.0f))  // nobody waits for it, and the memory goes after this
      REQUIRE(std::chrono::steady_clock::now() - begin < std::chrono::seconds(30));
  });
}

TEST_CASE("device: memory may go while the launches that use it wait, and a new buffer is not taken for it") {
  on_each([](Tools& tools, Queue& queue) {
    const Api& api = tools.device.api();
    const onc_arg kept = tools.put(std::vector<float>(8, 0.0f));
    const std::vector<int64_t> dims{8}, strides{1};
    Tape tape;
    tape.output(tape.input(ONC_F32) + tape.input(ONC_F32));
    for (int i = 0; i < 60; ++i) {
      onc_buffer* buffer = nullptr;
      api.check(api.buffer_alloc(tools.device.handle(), 4096, &buffer));
      const onc_arg at{buffer, 0};
      const std::vector<float> values(8, static_cast<float>(i));
      queue.copy_h2d(at, values.data(), sizeof(float) * 8);
      for (int k = 0; k < 3; ++k) {
        Op(ONC_OP_EXPR)
            .tape(tape, dims)
            .in({kept, ONC_F32, dims, strides})
            .in({at, ONC_F32, dims, strides})
            .out({kept, ONC_F32, dims, strides})
            .run(queue);
      }
      api.buffer_free(buffer);
    }
    CHECK(tools.take<float>(kept, 8) == std::vector<float>(8, 3.0f * 59 * 60 / 2));
  });
}

TEST_CASE("device: threads run one plan on queues of their own") {
  on_each([](Tools& tools, Queue&) {
    std::vector<std::unique_ptr<Queue>> queues;
    std::vector<onc_arg> places;
    for (int t = 0; t < 3; ++t) {
      queues.push_back(tools.device.create_queue());
      places.push_back(tools.put(std::vector<float>(5, static_cast<float>(1000 * t))));
    }
    tools.queue->finish();
    std::vector<std::thread> threads;
    for (size_t t = 0; t < queues.size(); ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 500; ++i) add_one(*queues[t], places[t], 5);
        queues[t]->finish();
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (size_t t = 0; t < queues.size(); ++t) {
      CHECK(tools.take<float>(places[t], 5) == std::vector<float>(5, static_cast<float>(1000 * t + 500)));
    }
  });
}

TEST_CASE("device: random draws have philox's bits and the right moments") {
  on_each([](Tools& tools, Queue& queue) {
    constexpr int64_t kCount = 50000;
    const std::vector<int64_t> dims{kCount}, strides{1};
    const uint64_t seed = 0x123456789abcdef0, offset = 77;
    const onc_arg at = tools.make(kCount * sizeof(float));
    for (const bool bell : {false, true}) {
      CAPTURE(bell);
      Tape tape;
      tape.output(bell ? normal(tape, ONC_F32) : uniform(tape, ONC_F32));
      Op op(ONC_OP_EXPR);
      op.tape(tape, dims)
          .out({at, ONC_F32, dims, strides})
          .scalar_int(static_cast<int64_t>(seed))
          .scalar_int(static_cast<int64_t>(offset));
      op.run(queue);
      const auto draws = tools.take<float>(at, kCount);
      double mean = 0, square = 0;
      for (int64_t i = 0; i < kCount; ++i) {
        mean += draws[i] / static_cast<double>(kCount);
        square += static_cast<double>(draws[i]) * draws[i] / kCount;
        if (bell) continue;
        const auto words = philox4x32({static_cast<uint32_t>(i), 0, static_cast<uint32_t>(offset), 0},
                                      {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
        REQUIRE(draws[i] == static_cast<float>(words[0] >> 8) * 0x1p-24f);
      }
      // Within four standard errors.
      CHECK(std::fabs(mean - (bell ? 0.0 : 0.5)) < 4 * std::sqrt((bell ? 1.0 : 1.0 / 12) / kCount));
      CHECK(std::fabs(square - (bell ? 1.0 : 1.0 / 3)) < 4 * std::sqrt((bell ? 2.0 : 4.0 / 45) / kCount));
    }
  });
}

TEST_CASE("device: memory churn on two queues keeps every byte") {
  on_each([](Tools& tools, Queue& queue) {
    auto second = tools.device.create_queue();
    Allocator& memory = tools.device.allocator();
    struct Live {
      Block block;
      uint8_t mark;
      Queue* on;
    };
    std::vector<Live> live;
    std::mt19937 random(3);
    const auto check = [&](const Live& entry) {
      std::vector<uint8_t> bytes(entry.block.bytes);
      entry.on->copy_d2h(bytes.data(), entry.block.at, bytes.size());
      REQUIRE(std::count(bytes.begin(), bytes.end(), entry.mark) == static_cast<int64_t>(bytes.size()));
    };
    for (int step = 0; step < 400; ++step) {
      if (live.size() < 12 || random() % 2 == 0) {
        Queue& on = random() % 2 == 0 ? queue : *second;
        const uint64_t bytes = 1 + random() % (random() % 10 == 0 ? 5 << 20 : 100 << 10);
        const Live entry{memory.allocate(bytes, on), static_cast<uint8_t>(step), &on};
        on.fill(entry.block.at, entry.block.bytes, &entry.mark, 1);
        live.push_back(entry);
        continue;
      }
      std::swap(live[random() % live.size()], live.back());
      Live entry = live.back();
      live.pop_back();
      if (random() % 2 == 0) {  // read by the other queue, freed while that may still run
        Queue& other = entry.on == &queue ? *second : queue;
        const Event filled = entry.on->record();
        other.wait(filled);
        memory.record_use(entry.block.address, other);
        entry.on = &other;
      }
      check(entry);
      memory.free(entry.block.address);
    }
    for (const Live& entry : live) {
      check(entry);
      memory.free(entry.block.address);
    }
    second.reset();
    memory.release_cached();
  });
}

TEST_CASE("device: poisoned memory reads as NaN") {
  on_each([](Tools& tools, Queue&) {
    tools.device.allocator().set_poison(true);
    const onc_arg at = tools.make(1000 * sizeof(float));
    tools.device.allocator().set_poison(false);
    for (const float value : tools.take<float>(at, 1000)) REQUIRE(std::isnan(value));
  });
}

TEST_CASE("device: what lies outside a buffer is refused, and the queue works on") {
  on_each([](Tools& tools, Queue& queue) {
    std::vector<uint8_t> bytes(64);
    onc_arg at = tools.make(64);
    at.offset = uint64_t{1} << 40;
    CHECK_THROWS_AS(queue.copy_h2d(at, bytes.data(), 64), Error);
    CHECK_THROWS_AS(queue.copy_d2h(bytes.data(), at, 64), Error);
    CHECK_THROWS_AS(queue.fill(at, 64, bytes.data(), 4), Error);
    CHECK_THROWS_AS(queue.fill(tools.make(64), 64, bytes.data(), 3), Error);
    CHECK_THROWS_AS(Op(9999).run(queue), Error);
    CHECK(tools.take<uint8_t>(tools.put(counting(64, 2)), 64) == counting(64, 2));
  });
}

TEST_CASE("device: a traced run has its device span") {
  on_each([](Tools& tools, Queue&) {
    auto queue = tools.device.create_queue(true);
    const onc_arg at = tools.put(std::vector<float>(100, 2.0f));
    const std::vector<int64_t> dims{100}, strides{1};
    Tape tape;
    tape.output(tape.input(ONC_F32) * 3.0);
    tools.queue->finish();
    Trace::get().start();
    Op(ONC_OP_EXPR).tape(tape, dims).in({at, ONC_F32, dims, strides}).out({at, ONC_F32, dims, strides}).run(*queue);
    queue->finish();
    Trace::get().stop();
    const std::string text = Trace::get().json();
    CHECK(text.find("\"cat\":\"host\"") != std::string::npos);
    CHECK(text.find("\"cat\":\"device\"") != std::string::npos);
    Trace::get().start();
    Trace::get().stop();
    CHECK(tools.take<float>(at, 100) == std::vector<float>(100, 6.0f));
  });
}
