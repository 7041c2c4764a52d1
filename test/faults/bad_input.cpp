// What a host may do wrong at the level of the core: each is an error that names the value, and what follows still works.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "../unit/failure.hpp"
#include "../unit/fake.hpp"
#include "core/address_map.hpp"
#include "core/allocator.hpp"
#include "core/op.hpp"
#include "core/trace.hpp"

using namespace oncilla;
using test::failure, test::has;

TEST_CASE("faults: a device that does not exist") {
  fake::reset().devices = 2;
  const std::string message = failure([] { Device::open(fake::backend(), 7); }, ONC_NOT_FOUND);
  CHECK(has(message, "no device 7"));
  CHECK(has(message, "it has 2"));
}

TEST_CASE("faults: more memory than the device has, or than one allocation may have") {
  fake::State& driver = fake::reset();
  auto device = fake::device();
  auto queue = device->create_queue();
  CHECK(has(failure([&] { device->allocator().allocate(uint64_t{100} << 30, *queue); }, ONC_OUT_OF_MEMORY), "100.00 GiB"));
  CHECK(has(failure([&] { device->allocator().allocate(uint64_t{3} << 30, *queue); }, ONC_OUT_OF_MEMORY), "at most 2.00 GiB"));
  CHECK(driver.alloc_calls == 0);
  CHECK(device->allocator().allocate(1000, *queue).address != nullptr);
}

TEST_CASE("faults: events that were never recorded, or moved from") {
  fake::reset();
  auto device = fake::device();
  auto queue = device->create_queue();
  Event none;
  failure([&] { none.sync(); }, ONC_INVALID_ARGUMENT);
  failure([&] { (void)none.done(); }, ONC_INVALID_ARGUMENT);
  failure([&] { queue->wait(none); }, ONC_INVALID_ARGUMENT);
  Event event = queue->record();
  const Event moved = std::move(event);
  failure([&] { event.sync(); }, ONC_INVALID_ARGUMENT);  // NOLINT: the point
  failure([&] { (void)moved.elapsed_ns(event); }, ONC_INVALID_ARGUMENT);
  CHECK(moved.done());
}

TEST_CASE("faults: events and queues keep their device alive") {
  fake::State& driver = fake::reset();
  auto device = fake::device();
  auto queue = device->create_queue();
  Event event = queue->record();
  device.reset();
  CHECK(driver.devices_live == 1);
  queue.reset();
  CHECK(event.done());
  event = Event();
  CHECK(driver.devices_live == 0);
}

TEST_CASE("faults: a lost device is an error at every turn") {
  fake::State& driver = fake::reset();
  auto device = fake::device();
  auto queue = device->create_queue();
  driver.fail_finish = 1;
  CHECK(has(failure([&] { queue->finish(); }, ONC_DEVICE_LOST), "[queue_finish] injected"));
  driver.fail_record = 1;
  failure([&] { queue->record(); }, ONC_DEVICE_LOST);
  driver.fail_finish = -1;
  device->allocator().free(device->allocator().allocate(10, *queue).address);
  queue.reset();  // finishing fails; the destructor stays silent
  CHECK(driver.queues.empty());
  CHECK(driver.errors_live == 0);
}

TEST_CASE("faults: paths that are no plugins") {
  const auto refused = [](const std::string& path, uint32_t code) {
    const std::string message = failure([&] { Backend::load(path); }, code);
    CHECK(has(message, path));
  };
  refused("", ONC_INVALID_ARGUMENT);
  refused("liboncilla_opencl.so", ONC_INVALID_ARGUMENT);
  refused("./liboncilla_opencl.so", ONC_INVALID_ARGUMENT);
  refused("/nonexistent/liboncilla_x.so", ONC_NOT_FOUND);
  refused("/tmp", ONC_INVALID_ARGUMENT);
  refused("/dev/null", ONC_INVALID_ARGUMENT);
  const std::string text = std::filesystem::current_path().string() + "/not_a_plugin_" + std::to_string(::getpid()) + ".so";
  std::ofstream(text) << "hello";
  refused(text, ONC_INVALID_ARGUMENT);
  std::ofstream(text, std::ios::trunc);
  refused(text, ONC_INVALID_ARGUMENT);
  ::unlink(text.c_str());
}

TEST_CASE("faults: a table that cannot be used") {
  const auto refused = [](const onc_api& table, const std::string& part) {
    CHECK(has(failure([&] { Backend::from_table(&table, "a table"); }, ONC_INVALID_ARGUMENT), part));
  };
  CHECK(has(failure([] { Backend::from_table(nullptr, "a table"); }, ONC_INVALID_ARGUMENT), "gave no table"));
  onc_api table = *fake::table();
  table.major = 2;
  refused(table, "major version 2");
  table = *fake::table();
  table.size = 8;
  refused(table, "8 bytes");
  table = *fake::table();
  table.plan_run = nullptr;
  refused(table, "lacks plan_run");
  table = *fake::table();
  table.n_slots = 3;
  refused(table, "lacks device_count, ");
  table = *fake::table();
  table.name = nullptr;
  refused(table, "no name");
  table = *fake::table();
  table.event_elapsed = nullptr;  // not everybody can
  table.device_stats = nullptr;
  auto device = Device::open(Backend::from_table(&table, "a table"), 0);
  CHECK(device->stats().launches == 0);
  auto queue = device->create_queue();
  const Event a = queue->record(), b = queue->record();
  CHECK(has(failure([&] { (void)b.elapsed_ns(a); }, ONC_UNIMPLEMENTED), "cannot time events"));
}

TEST_CASE("faults: a stray access to an address of device memory faults at once") {
  fake::reset();
  auto device = fake::device();
  auto queue = device->create_queue();
  const Block block = device->allocator().allocate(4096, *queue);
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  // The kernel reads on our behalf and reports what a load would have met.
  CHECK(::write(pipe_ends[1], block.address, 16) == -1);
  CHECK(errno == EFAULT);
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
}
