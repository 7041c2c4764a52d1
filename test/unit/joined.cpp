// FOREACH calls that wait at a queue: which are joined, and that nothing overtakes them. The numbers are compared on real devices
// (test/torch/test_optim.py).
#include "core/joined.hpp"

#include <doctest/doctest.h>

#include "core/allocator.hpp"
#include "core/trace.hpp"
#include "fake.hpp"

using namespace oncilla;

namespace {

struct Planned {
  uint32_t in_lists, out_lists, insts, scalars, tensor_scalars;
  bool operator==(const Planned&) const = default;
};
std::vector<Planned> planned;

onc_error* spy(onc_device* device, const onc_op_desc* desc, onc_plan** plan) {
  const fake::Lock lock(fake::state().mutex);
  if (desc->op == ONC_OP_FOREACH) {
    const auto& attrs = *static_cast<const onc_foreach_attrs*>(desc->attrs);
    planned.push_back({attrs.n_in_lists, attrs.n_out_lists, attrs.n_insts, attrs.n_scalars, attrs.n_tensor_scalars});
  }
  return fake::table()->plan_create(device, desc, plan);
}

struct Fixture {
  fake::State& driver = fake::reset();
  onc_api table = *fake::table();
  std::shared_ptr<Device> device;
  std::unique_ptr<Queue> queue;
  Fixture() {
    planned.clear();
    table.plan_create = spy;
    device = Device::open(Backend::from_table(&table, "spy"), 0);
    queue = device->create_queue();
  }

  // Two tensors of 100 and 10 floats: list n of buffer 1, shifted by `shift` bytes.
  static ForeachList list(uint64_t n, uint64_t shift = 0, uint32_t dtype = ONC_F32) {
    auto* buffer = reinterpret_cast<onc_buffer*>(uintptr_t{16});
    return {{{buffer, n * 1024 + shift}, {buffer, n * 1024 + 512 + shift}}, dtype, false};
  }
  // out = a + scalar * b
  static ForeachCall add(ForeachList a, ForeachList b, double scalar, ForeachList out) {
    ForeachCall call;
    const Value x = call.tape.input(a.dtype), y = call.tape.input(b.dtype);
    call.tape.output(x + call.tape.scalar(a.dtype) * y);
    call.numels = {100, 10};
    call.in = {std::move(a), std::move(b)};
    call.out = {std::move(out)};
    onc_scalar value;
    value.f = scalar;
    call.scalars = {value};
    return call;
  }
  // out = a * its own number of each tensor
  static ForeachCall scale(ForeachList a, double first, double second, ForeachList out) {
    ForeachCall call;
    call.tape.output(call.tape.input(a.dtype) * call.tape.tensor_scalar(a.dtype));
    call.numels = {100, 10};
    call.in = {std::move(a)};
    call.out = {std::move(out)};
    call.tensor_scalars = {std::vector<onc_scalar>(2)};
    call.tensor_scalars[0][0].f = first;
    call.tensor_scalars[0][1].f = second;
    return call;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "joined: calls on the same lists are one launch, each list read and written once") {
  queue->foreach_call(add(list(0), list(1), 2, list(0)));
  queue->foreach_call(scale(list(0), 3, 4, list(2)));
  queue->foreach_call(scale(list(1), 5, 6, list(3)));
  queue->foreach_call(add(list(3), list(2), 7, list(0)));
  CHECK(driver.runs == 0);
  queue->finish();
  CHECK(driver.runs == 1);
  CHECK(planned == std::vector<Planned>{{2, 3, 12, 2, 2}});
  // In the order of the lists: two tensors of each.
  std::vector<uint64_t> offsets;
  for (const onc_arg& arg : driver.last_args) offsets.push_back(arg.offset);
  CHECK(offsets == std::vector<uint64_t>{0, 512, 1024, 1536, 0, 512, 2048, 2560, 3072, 3584});
  std::vector<double> scalars;
  for (const onc_scalar& scalar : driver.last_scalars) scalars.push_back(scalar.f);
  CHECK(scalars == std::vector<double>{2, 7, 3, 5, 4, 6});  // shared; those of the first tensor, of the second
  queue->finish();
  CHECK(driver.runs == 1);
}

TEST_CASE_FIXTURE(Fixture, "joined: a list that lies across what was written, or writes across what was read, waits for it") {
  queue->foreach_call(scale(list(0), 1, 1, list(1)));
  queue->foreach_call(scale(list(1, 4), 1, 1, list(2)));  // reads across
  CHECK(driver.runs == 1);
  queue->foreach_call(scale(list(3), 1, 1, list(1, 8)));  // writes across what the last one reads
  CHECK(driver.runs == 2);
  queue->foreach_call(scale(list(3), 1, 1, list(1, 12)));  // writes across what the last one writes
  CHECK(driver.runs == 3);
  queue->foreach_call(scale(list(3, 400), 1, 1, list(4)));  // touches the end of what is read only
  CHECK(driver.runs == 3);
  ForeachList exchanged = list(4);
  std::swap(exchanged.at[0], exchanged.at[1]);
  queue->foreach_call(scale(exchanged, 1, 1, list(5)));  // the same tensors in another order
  CHECK(driver.runs == 4);
  ForeachCall fewer = scale(list(5), 1, 1, list(5));
  fewer.numels = {100, 9};
  queue->foreach_call(std::move(fewer));
  CHECK(driver.runs == 5);
  queue->finish();
  CHECK(driver.runs == 6);
}

TEST_CASE_FIXTURE(Fixture, "joined: what is stored narrower than it is computed, or overlaps within one call, runs at once") {
  queue->foreach_call(scale(list(0, 0, ONC_F16), 1, 1, list(1, 0, ONC_F16)));
  CHECK(driver.runs == 1);
  queue->foreach_call(scale(list(0), 1, 1, list(0, 4)));
  CHECK(driver.runs == 2);
  ForeachCall wider = scale(list(0), 1, 1, list(4));
  wider.out[0].dtype = ONC_F64;
  queue->foreach_call(std::move(wider));
  CHECK(driver.runs == 3);
  queue->finish();
  CHECK(driver.runs == 3);
}

TEST_CASE_FIXTURE(Fixture, "joined: whatever is done with the queue comes after what waits") {
  const onc_arg place = list(9).at[0];
  float number = 0;
  std::unique_ptr<Queue> other = device->create_queue();
  const Event event = other->record();
  const std::function<void()> uses[] = {[&] { queue->flush(); },
                                        [&] { queue->record(); },
                                        [&] { queue->wait(event); },
                                        [&] { queue->copy_h2d(place, &number, 4); },
                                        [&] { queue->copy_d2h(&number, place, 4); },
                                        [&] { queue->copy_d2d(place, place, 4); },
                                        [&] { queue->fill(place, 4, &number, 4); },
                                        [&] { queue.reset(); }};
  for (const auto& use : uses) {
    queue->foreach_call(scale(list(0), 1, 1, list(1)));
    const uint64_t before = driver.runs;
    use();
    CHECK(driver.runs == before + 1);
  }
}

TEST_CASE_FIXTURE(Fixture, "joined: memory is given back, and waited for on other queues, after what waits") {
  Allocator& allocator = device->allocator();
  const Block block = allocator.allocate(4096, *queue);
  const auto on_block = [&] {
    ForeachCall call = scale(list(0), 1, 1, list(1));
    for (ForeachList* l : {&call.in[0], &call.out[0]}) {
      for (onc_arg& at : l->at) at.buffer = block.at.buffer;
    }
    return call;
  };
  std::unique_ptr<Queue> other = device->create_queue();
  other->foreach_call(on_block());
  allocator.record_use(block.address, *other);
  CHECK(driver.runs == 0);
  allocator.free(block.address);
  CHECK(driver.runs == 1);

  const Block next = allocator.allocate(4096, *queue);
  REQUIRE(next.at.buffer == block.at.buffer);
  queue->foreach_call(on_block());
  allocator.free(next.address);
  other->finish();
  CHECK(driver.runs == 1);
  allocator.release_cached();
  CHECK(driver.runs == 2);
}

TEST_CASE_FIXTURE(Fixture, "joined: a failure is thrown where the queue is used next, once") {
  driver.fail_run = 1;
  queue->foreach_call(scale(list(0), 1, 1, list(1)));
  CHECK_THROWS_WITH(queue->finish(), doctest::Contains("injected"));
  queue->finish();
  const uint64_t runs = driver.runs;
  // Where memory is managed nobody can take an error, so the next user of the queue does.
  driver.fail_run = 1;
  queue->foreach_call(scale(list(0), 1, 1, list(1)));
  queue->settle_quietly();
  CHECK(driver.runs == runs + 1);
  CHECK_THROWS_WITH(queue->record(), doctest::Contains("injected"));
  queue->finish();
  CHECK(driver.errors_live == 0);
}

TEST_CASE_FIXTURE(Fixture, "joined: another device's memory is refused at once, and what waits goes on waiting") {
  const std::shared_ptr<Device> far = fake::device();
  const std::unique_ptr<Queue> there = far->create_queue();
  const Block block = far->allocator().allocate(4096, *there), own = device->allocator().allocate(4096, *queue);
  queue->foreach_call(scale(list(0), 1, 1, list(1)));
  for (const bool out : {false, true}) {
    ForeachCall call = scale(list(0), 1, 1, list(0));
    (out ? call.out : call.in)[0].at[1] = block.at;
    CHECK_THROWS_WITH(queue->foreach_call(std::move(call)), doctest::Contains("[foreach]"));
  }
  CHECK(driver.runs == 0);
  queue->finish();
  CHECK(driver.runs == 1);
  far->allocator().free(block.address);
  device->allocator().free(own.address);
}

TEST_CASE_FIXTURE(Fixture, "joined: a trace links the launch to the last call in it") {
  Trace::get().start();
  for (const uint64_t tag : {11, 12}) {
    const uint64_t before = Trace::set_tag(tag);
    queue->foreach_call(scale(list(0), 1, 1, list(tag)));
    Trace::set_tag(before);
  }
  queue->finish();
  std::vector<uint64_t> tags;
  for (const TraceSpan& span : Trace::get().spans(0)) tags.push_back(span.tag);
  Trace::get().stop();
  CHECK(tags == std::vector<uint64_t>{12});
}

TEST_CASE_FIXTURE(Fixture, "joined: workspace comes from beside the allocator") {
  driver.workspace = 64;
  queue->foreach_call(scale(list(0), 1, 1, list(1)));
  queue->finish();
  CHECK(driver.last_workspace.buffer != nullptr);
  CHECK(driver.buffers.empty());
}

TEST_CASE_FIXTURE(Fixture, "joined: the first call once more begins a new launch") {
  for (double step = 0; step < 3; ++step) {
    queue->foreach_call(scale(list(0), step, 1, list(0)));
    queue->foreach_call(add(list(1), list(0), step, list(1)));
    queue->foreach_call(scale(list(1), 1, step, list(1)));  // the same tape on another list
  }
  queue->finish();
  CHECK(driver.runs == 3);
  CHECK(driver.plans == 1);
}

TEST_CASE_FIXTURE(Fixture, "joined: a tape does not grow beyond what a kernel holds") {
  queue->foreach_call(add(list(1), list(0), 1, list(1)));
  for (int i = 0; i < 60; ++i) queue->foreach_call(scale(list(0), 1, 1, list(0)));
  queue->finish();
  CHECK(driver.runs > 1);
  for (const Planned& plan : planned) CHECK(plan.insts <= 96);
  const uint64_t before = driver.runs;
  for (uint64_t i = 0; i < 60; ++i) queue->foreach_call(scale(list(i), 1, 1, list(i)));
  queue->finish();
  CHECK(driver.runs == before + 6);
  for (const Planned& plan : planned) CHECK(plan.in_lists + plan.out_lists <= 20);
}
