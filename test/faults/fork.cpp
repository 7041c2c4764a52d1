// A child of a process that has used a device: every entry answers with an error, nothing hangs, and the parent goes on.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "../unit/fake.hpp"
#include "core/allocator.hpp"
#include "core/op.hpp"

using namespace oncilla;

namespace {

// Runs fn in a child and gives its exit status, or -1 for a signal; the alarm ends a child that hangs.
int in_child(const std::function<int()>& fn) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    int status = 99;
    try {
      status = fn();
    } catch (...) {
      status = 98;
    }
    ::_exit(status);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool unavailable(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code() == ONC_UNAVAILABLE && std::string(error.what()).find("forked") != std::string::npos;
  }
  return false;
}

}  // namespace

TEST_CASE("fork: a child gets errors, not hangs") {
  fake::reset();
  auto device = fake::device();
  auto queue = device->create_queue();
  const Block block = device->allocator().allocate(100, *queue);
  Event event = queue->record();
  const auto held = queue->lock();  // as another thread of the parent might
  const int status = in_child([&] {
    const std::function<void()> calls[] = {
        [&] { queue->finish(); },
        [&] { queue->flush(); },
        [&] { queue->record(); },
        [&] { queue->wait(event); },
        [&] { queue->copy_d2d(block.at, block.at, 4); },
        [&] { event.sync(); },
        [&] { (void)event.done(); },
        [&] { device->create_queue(); },
        [&] { device->stats(); },
        [&] { device->allocator().allocate(10, *queue); },
        [&] { device->allocator().record_use(block.address, *queue); },
        [&] { device->allocator().release_cached(); },
        [&] { device->allocator().stats(); },
        [&] { Op(ONC_OP_MATMUL).run(*queue); },
        [&] { Op(ONC_OP_MATMUL).plan(*device); },
        [&] { fake::device(); },
        [&] { fake::backend()->device_count(); },
    };
    int number = 1;
    for (const auto& call : calls) {
      if (!unavailable(call)) return number;
      ++number;
    }
    // What a child destroys on its way out is the parent's: nothing is done, and nothing fails.
    device->allocator().free(block.address);
    event = Event();
    return 0;
  });
  CHECK(status == 0);
}

TEST_CASE("fork: the parent goes on") {
  fake::State& driver = fake::reset();
  auto device = fake::device();
  auto queue = device->create_queue();
  CHECK(in_child([&] {
          queue.reset();
          device.reset();
          return 0;
        }) == 0);
  queue->finish();
  CHECK(driver.finishes == 1);
  const Block block = device->allocator().allocate(100, *queue);
  CHECK(block.address != nullptr);
}
