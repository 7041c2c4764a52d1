// Op: what reaches the plugin, how often plans are made, and what an Op does when things fail.
#include "core/op.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "core/allocator.hpp"
#include "core/forced.hpp"
#include "fake.hpp"

using namespace oncilla;

namespace {

// What the last plan_create saw, copied.
struct Seen {
  uint32_t op = 0, n_in = 0, n_out = 0;
  std::vector<bool> present;
  std::vector<uint32_t> dtypes;
  std::vector<std::vector<int64_t>> dims, strides;
  onc_expr_attrs expr{};
  onc_foreach_attrs foreach{};
  onc_pool_attrs pool{};
  std::vector<int64_t> space;
  std::vector<onc_expr_inst> insts;
  std::vector<uint16_t> outs;
  std::string variant;
};
Seen seen;

onc_error* spy(onc_device* device, const onc_op_desc* desc, onc_plan** plan) {
  const fake::Lock lock(fake::state().mutex);
  seen = Seen{};
  seen.op = desc->op;
  seen.n_in = desc->n_in;
  seen.n_out = desc->n_out;
  for (uint32_t i = 0; i < desc->n_in + desc->n_out; ++i) {
    const onc_tensor_desc* tensor = i < desc->n_in ? desc->in[i] : desc->out[i - desc->n_in];
    seen.present.push_back(tensor != nullptr);
    if (tensor == nullptr) continue;
    CHECK(tensor->size == sizeof(*tensor));
    seen.dtypes.push_back(tensor->dtype);
    seen.dims.emplace_back(tensor->dims, tensor->dims + tensor->rank);
    seen.strides.emplace_back(tensor->strides, tensor->strides + tensor->rank);
  }
  if (desc->op == ONC_OP_EXPR) {
    seen.expr = *static_cast<const onc_expr_attrs*>(desc->attrs);
    seen.space.assign(seen.expr.dims, seen.expr.dims + seen.expr.rank);
    seen.insts.assign(seen.expr.insts, seen.expr.insts + seen.expr.n_insts);
    seen.outs.assign(seen.expr.outs, seen.expr.outs + seen.expr.n_outs);
  } else if (desc->op == ONC_OP_FOREACH) {
    seen.foreach = *static_cast<const onc_foreach_attrs*>(desc->attrs);
    seen.insts.assign(seen.foreach.insts, seen.foreach.insts + seen.foreach.n_insts);
    seen.outs.assign(seen.foreach.outs, seen.foreach.outs + seen.foreach.n_out_lists);
  } else if (desc->attrs != nullptr) {
    seen.pool = *static_cast<const onc_pool_attrs*>(desc->attrs);
  }
  for (const onc_ext* ext = desc->next; ext != nullptr; ext = ext->next)
    seen.variant = reinterpret_cast<const onc_ext_variant*>(ext)->name;
  return fake::table()->plan_create(device, desc, plan);
}

struct Fixture {
  fake::State& driver = fake::reset();
  onc_api table = *fake::table();
  std::shared_ptr<Device> device;
  std::unique_ptr<Queue> queue;
  Fixture() {
    table.plan_create = spy;
    device = Device::open(Backend::from_table(&table, "spy"), 0);
    queue = device->create_queue();
  }
  // A tensor over memory number n.
  static onc_arg at(uintptr_t n) { return {reinterpret_cast<onc_buffer*>(n * 16), n}; }
};

const std::vector<int64_t> k23{2, 3}, k31{3, 1}, k10{1, 0}, kNone{};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "op: a variant forced from outside is the op's unless it names one itself") {
  const auto planned = [&](uint32_t number, const char* own) {
    Op op(number);
    op.in({at(1), ONC_F32, k23, k31}).out({at(9), ONC_F32, k23, k31});
    if (*own != 0) op.variant(own);
    seen.variant.clear();
    op.run(*queue);
    op.run(*queue);  // the name is not added again
    return op.plan(*device).variant;
  };
  const uint64_t before = forced::uses();
  forced::set("softmax", "slow");
  CHECK(planned(ONC_OP_SOFTMAX, "") == "slow");
  CHECK(driver.plans == 1);
  CHECK(forced::uses() == before + 1);
  CHECK(planned(ONC_OP_SOFTMAX, "fast") == "fast");
  CHECK(planned(ONC_OP_SCAN, "") != "slow");
  CHECK(forced::uses() == before + 1);
  forced::set("softmax", "");
  CHECK(!forced::any());
  CHECK(planned(ONC_OP_SOFTMAX, "") != "slow");  // the unforced plan is another one
  CHECK(driver.plans == 4);
  CHECK_THROWS_WITH(forced::set("nosuch", "x"), doctest::Contains("[nosuch] is no op"));
}

TEST_CASE_FIXTURE(Fixture, "op: descriptors, arguments and scalars arrive in order") {
  onc_pool_attrs attrs{};
  attrs.spatial_rank = 2;
  attrs.kernel[0] = 5;
  Op op(ONC_OP_MAX_POOL);
  op.out({at(9), ONC_F64, k23, k31}).in({at(1), ONC_F32, k23, k10}).no_in().no_out().in({at(3), ONC_I64, kNone, kNone});
  op.attrs(attrs).scalar(2.5).scalar_int(-7).variant("fast");
  op.run(*queue);
  CHECK(seen.op == ONC_OP_MAX_POOL);
  CHECK(seen.n_in == 3);
  CHECK(seen.n_out == 2);
  CHECK(seen.present == std::vector<bool>{true, false, true, true, false});
  CHECK(seen.dtypes == std::vector<uint32_t>{ONC_F32, ONC_I64, ONC_F64});
  CHECK(seen.dims == std::vector<std::vector<int64_t>>{k23, kNone, k23});
  CHECK(seen.strides == std::vector<std::vector<int64_t>>{k10, kNone, k31});
  CHECK(seen.pool.size == sizeof(attrs));
  CHECK(seen.pool.kernel[0] == 5);
  CHECK(seen.variant == "fast");
  REQUIRE(driver.last_args.size() == 5);
  const uintptr_t order[] = {1, 0, 3, 9, 0};
  for (size_t i = 0; i < 5; ++i) CHECK(driver.last_args[i].offset == order[i]);
  REQUIRE(driver.last_scalars.size() == 2);
  CHECK(driver.last_scalars[0].f == 2.5);
  CHECK(driver.last_scalars[1].i == -7);
  CHECK(op.plan(*device).variant == "fast");
  CHECK(op.plan(*device).flops == 7);
  op.run(*queue);  // an Op may run again
  CHECK(driver.plans == 1);
  CHECK(driver.runs == 2);
}

TEST_CASE_FIXTURE(Fixture, "op: tapes arrive whole") {
  Tape tape;
  const Value x = tape.input(ONC_F32), s = tape.scalar(ONC_F32);
  tape.output(x * s + 0.25);
  tape.output(x);
  tape.output(s);
  tape.output(-x);
  tape.output(x);
  Op(ONC_OP_EXPR).tape(tape, k23, 1).in({at(1), ONC_F32, k23, k31}).out({at(2), ONC_F32, k23, k31}).scalar(3).run(*queue);
  CHECK(seen.expr.size == sizeof(onc_expr_attrs));
  CHECK(seen.space == k23);
  CHECK(seen.expr.reduce_rank == 1);
  CHECK(seen.expr.n_scalars == 1);
  REQUIRE(seen.insts.size() == tape.insts().size());
  CHECK(std::memcmp(seen.insts.data(), tape.insts().data(), seen.insts.size() * sizeof(onc_expr_inst)) == 0);
  CHECK(seen.outs == tape.outs());

  Tape step;
  step.output(step.input(ONC_F32) - step.scalar(ONC_F32) * step.tensor_scalar(ONC_F32) * step.input(ONC_F32));
  Op op(ONC_OP_FOREACH);
  for (uintptr_t i = 0; i < 6; ++i) op.in({at(i), ONC_F32, k23, k31});
  for (uintptr_t i = 0; i < 3; ++i) op.out({at(i), ONC_F32, k23, k31});
  op.foreach (step, 3, 2, 1).run(*queue);
  CHECK(seen.foreach.size == sizeof(onc_foreach_attrs));
  CHECK(seen.foreach.n_tensors == 3);
  CHECK(seen.foreach.n_in_lists == 2);
  CHECK(seen.foreach.n_out_lists == 1);
  CHECK(seen.foreach.n_scalars == 1);
  CHECK(seen.foreach.n_tensor_scalars == 1);
  CHECK(seen.insts.size() == step.insts().size());
  CHECK(seen.outs == step.outs());
}

TEST_CASE_FIXTURE(Fixture, "op: every part of the description is part of the key, and no value is") {
  std::vector<uint64_t> plans;
  const auto run = [&](uint32_t dtype, const std::vector<int64_t>& dims, const std::vector<int64_t>& strides, int64_t kernel,
                       const char* variant, uintptr_t memory, double scalar, bool second) {
    onc_pool_attrs attrs{};
    attrs.kernel[0] = kernel;
    Op op(ONC_OP_AVG_POOL);
    op.in({at(memory), dtype, dims, strides}).attrs(attrs).scalar(scalar);
    if (second) op.no_in();
    if (*variant != '\0') op.variant(variant);
    const uint64_t before = driver.plans;
    op.out({at(memory), ONC_F32, dims, strides}).run(*queue);
    return driver.plans - before;
  };
  CHECK(run(ONC_F32, k23, k31, 2, "", 1, 1.0, false) == 1);
  CHECK(run(ONC_F32, k23, k31, 2, "", 2, 5.0, false) == 0);  // other memory and other scalars: the same plan
  CHECK(run(ONC_F64, k23, k31, 2, "", 1, 1.0, false) == 1);
  CHECK(run(ONC_F32, k31, k31, 2, "", 1, 1.0, false) == 1);
  CHECK(run(ONC_F32, k23, k10, 2, "", 1, 1.0, false) == 1);
  CHECK(run(ONC_F32, k23, k31, 3, "", 1, 1.0, false) == 1);
  CHECK(run(ONC_F32, k23, k31, 2, "v", 1, 1.0, false) == 1);
  CHECK(run(ONC_F32, k23, k31, 2, "", 1, 1.0, true) == 1);
  CHECK(run(ONC_F32, k23, k31, 2, "", 1, 1.0, false) == 0);
  for (const double constant : {1.0, 2.0, 1.0}) {
    Tape tape;
    tape.output(tape.input(ONC_F32) * constant);
    Op(ONC_OP_EXPR).tape(tape, k23).in({at(1), ONC_F32, k23, k31}).out({at(2), ONC_F32, k23, k31}).run(*queue);
  }
  CHECK(device->plans().stats().size == 9);
}

TEST_CASE_FIXTURE(Fixture, "op: one inside the arguments of another") {
  const auto inner = [&] {
    Op(ONC_OP_SOFTMAX).in({at(5), ONC_F32, k23, k31}).out({at(6), ONC_F32, k23, k31}).run(*queue);
    return at(6);
  };
  Op(ONC_OP_MATMUL).in({at(1), ONC_F32, k23, k31}).in({inner(), ONC_F32, k23, k31}).out({at(7), ONC_F32, k23, k31}).run(*queue);
  CHECK(seen.op == ONC_OP_MATMUL);
  CHECK(driver.last_args.size() == 3);
  CHECK(driver.last_args[1].offset == 6);
}

TEST_CASE_FIXTURE(Fixture, "op: workspace comes from the queue's memory and returns") {
  driver.workspace = 1000;
  for (int i = 0; i < 3; ++i) Op(ONC_OP_MATMUL).out({at(1), ONC_F32, k23, k31}).run(*queue);
  CHECK(driver.last_workspace.buffer != nullptr);
  CHECK(driver.alloc_calls == 1);
  CHECK(device->allocator().stats().requested_bytes.all.current == 0);
  CHECK(device->allocator().stats().allocation.all.added == 3);
}

TEST_CASE_FIXTURE(Fixture, "op: failures leave nothing behind") {
  driver.workspace = 1000;
  driver.fail_plan = 1;
  const auto run = [&] { Op(ONC_OP_MATMUL).out({at(1), ONC_F32, k23, k31}).run(*queue); };
  CHECK_THROWS_WITH_AS(run(), "[plan] injected", Error);
  driver.fail_run = 1;
  CHECK_THROWS_WITH_AS(run(), "[plan_run] injected", Error);
  CHECK(device->allocator().stats().requested_bytes.all.current == 0);
  run();
  CHECK(driver.errors_live == 0);
  CHECK_THROWS_WITH_AS(Op(ONC_OP_MATMUL).in({at(1), ONC_F32, k23, kNone}), "[matmul] a tensor has 2 dims and 0 strides", Error);
}

TEST_CASE_FIXTURE(Fixture, "op: many threads share a device and a queue") {
  driver.workspace = 512;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        const std::vector<int64_t> dims{t, i % 7};
        Op(ONC_OP_MATMUL).in({at(1), ONC_F32, dims, k31}).out({at(1), ONC_F32, dims, k31}).scalar(1).run(*queue);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(driver.runs == 2000);
  CHECK(device->plans().stats().size == 28);
  CHECK(device->allocator().stats().requested_bytes.all.current == 0);
}
