// Random descriptors and tapes against plan_create, random ranges against the other calls: an error or a plan, never a crash. The
// seed is fixed, so that a failure can be repeated; ONCILLA_FUZZ_ROUNDS asks for more rounds than the test suite has time for.
#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "descriptor.hpp"

namespace {

using Make = Descriptor (*)();
const Make kMakes[] = {valid::expr,
                       valid::expr_reduction,
                       valid::foreach,
                       valid::matmul,
                       valid::conv,
                       valid::conv_grad_input,
                       valid::conv_grad_weight,
                       valid::max_pool,
                       valid::max_pool_grad,
                       valid::avg_pool,
                       valid::avg_pool_grad,
                       valid::batch_norm,
                       valid::batch_norm_grad,
                       valid::softmax,
                       valid::softmax_grad,
                       valid::nll_loss,
                       valid::nll_loss_grad,
                       valid::cross_entropy,
                       valid::cross_entropy_grad};

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  uint64_t below(uint64_t n) { return engine_() % n; }
  bool one_in(uint64_t n) { return below(n) == 0; }
  template <class C>
  auto& of(C& items) {
    return items[below(std::size(items))];
  }
  // Sizes, strides and attributes: mostly small, sometimes at an edge of a type.
  int64_t number() {
    static const int64_t edges[] = {
        0, 1, -1, INT64_MAX, INT64_MIN, INT32_MAX, INT32_MIN, int64_t{1} << 32, int64_t{1} << 61, int64_t{1} << 62};
    return one_in(4) ? of(edges) : static_cast<int64_t>(below(9));
  }
  uint32_t number32() { return static_cast<uint32_t>(number()); }
  uint16_t operand() { return static_cast<uint16_t>(one_in(8) ? below(65536) : below(8)); }

 private:
  std::mt19937_64 engine_;
};

TensorSpec random_tensor(Dice& dice) {
  Sizes dims(dice.one_in(16) ? 17 : dice.below(6));
  for (int64_t& dim : dims) dim = dice.one_in(8) ? dice.number() : static_cast<int64_t>(dice.below(5));
  Sizes strides(dims.size());
  for (int64_t& stride : strides) stride = dice.number();
  if (dice.one_in(2)) {
    uint64_t step = 1;
    for (size_t i = dims.size(); i-- > 0; step *= static_cast<uint64_t>(dims[i])) strides[i] = static_cast<int64_t>(step);
  }
  return TensorSpec(dice.one_in(8) ? dice.number32() : 1 + static_cast<uint32_t>(dice.below(10)), dims, strides);
}

onc_expr_inst random_inst(Dice& dice) {
  static const uint16_t opcodes[] = {
      ONC_EX_INPUT,      ONC_EX_CONST,         ONC_EX_SCALAR,        ONC_EX_COORD,      ONC_EX_PHILOX,
      ONC_EX_CAST,       ONC_EX_WHERE,         ONC_EX_TENSOR_SCALAR, ONC_EX_REDUCE_SUM, ONC_EX_REDUCE_MAX,
      ONC_EX_REDUCE_ANY, ONC_EX_REDUCE_ARGMAX, ONC_EX_GATHER,
#define ONC_EW(number, ...) number,
#include "oncilla/elementwise.def"
#undef ONC_EW
  };
  static const uint16_t dtypes[] = {ONC_F32, ONC_F64, ONC_I32, ONC_I64, ONC_BOOL};
  onc_expr_inst inst{};
  inst.op = dice.one_in(16) ? dice.operand() : dice.of(opcodes);
  inst.dtype = dice.one_in(16) ? dice.operand() : dice.of(dtypes);
  inst.a = dice.operand();
  inst.b = dice.operand();
  inst.c = dice.operand();
  inst.imm.i = dice.number();
  if (dice.one_in(32)) inst.reserved = dice.operand();
  return inst;
}

// Bends one thing.
void mutate(Dice& dice, Descriptor& d) {
  auto& side = dice.one_in(2) ? d.in : d.out;
  switch (dice.below(10)) {
    case 0:
      if (!side.empty()) dice.of(side) = random_tensor(dice);
      return;
    case 1:
      if (!side.empty()) dice.of(side).reset();
      return;
    case 2:
      side.push_back(random_tensor(dice));
      return;
    case 3:
      if (!side.empty()) side.pop_back();
      return;
    case 4:
      if (!side.empty() && dice.of(side)) {
        auto& t = side.front();
        if (t && !t->dims.empty()) dice.of(dice.one_in(2) ? t->dims : t->strides) = dice.number();
      }
      return;
    case 5: {  // any word of the attributes behind their head
      auto& words = d.attrs<onc_pool_attrs>();
      auto* bytes = reinterpret_cast<unsigned char*>(&words);
      const int64_t value = dice.number();
      std::memcpy(bytes + 16 + 4 * dice.below((sizeof(onc_pool_attrs) - 16) / 4 - 1), &value, dice.one_in(2) ? 4 : 8);
      return;
    }
    case 6:
      if (!d.insts.empty()) dice.of(d.insts) = random_inst(dice);
      return;
    case 7:
      d.insts.push_back(random_inst(dice));
      if (dice.one_in(2) && !d.outs.empty()) d.outs[0] = static_cast<uint16_t>(d.insts.size() - 1);
      return;
    case 8:
      if (dice.one_in(2) && !d.dims.empty()) dice.of(d.dims) = dice.number();
      if (dice.one_in(2)) d.reduce_rank = static_cast<uint32_t>(dice.below(4));
      if (dice.one_in(4)) d.outs.push_back(dice.operand());
      return;
    default:
      if (dice.one_in(2)) d.n_scalars = dice.one_in(8) ? dice.number32() : static_cast<uint32_t>(dice.below(4));
      if (dice.one_in(4)) d.n_tensor_scalars = dice.one_in(8) ? dice.number32() : static_cast<uint32_t>(dice.below(4));
      if (dice.one_in(8)) d.n_tensors = dice.number32();
      if (dice.one_in(16)) d.op = static_cast<uint32_t>(dice.below(22));
      return;
  }
}

uint64_t rounds(uint64_t by_default) {
  const char* text = std::getenv("ONCILLA_FUZZ_ROUNDS");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : by_default;
}

// A run of the plan with places that are right, or nearly so. The null plugin's plans touch no memory.
void try_run(Dice& dice, const Fixture& f, const Descriptor& d, onc_plan* plan) {
  std::vector<onc_arg> args(d.in.size() + d.out.size());
  for (onc_arg& arg : args)
    arg = {dice.one_in(16) ? nullptr : f.buffer, dice.one_in(8) ? static_cast<uint64_t>(dice.number()) : 64 * dice.below(64)};
  std::vector<onc_scalar> scalars(dice.below(4));
  onc_run run{sizeof(run)};
  run.args = args.data();
  run.n_args = static_cast<uint32_t>(args.size());
  run.scalars = scalars.data();
  run.n_scalars = static_cast<uint32_t>(scalars.size());
  run.workspace = {f.buffer, static_cast<uint64_t>(dice.number())};
  outcome(f.api.plan_run(plan, f.queue, &run));
}

}  // namespace

TEST_CASE("random descriptors") {
  const Fixture f;
  uint64_t plans = 0, errors = 0;
  const uint64_t n = rounds(10000);
  for (uint64_t round = 0; round < n; ++round) {
    CAPTURE(round);
    Dice dice(round);
    Descriptor d = dice.of(kMakes)();
    for (uint64_t i = dice.below(4); i > 0; --i) mutate(dice, d);
    onc_plan* plan = nullptr;
    const Outcome o = d.plan(f, &plan);
    REQUIRE((o.code == ONC_OK) == (plan != nullptr));
    REQUIRE((o.code == ONC_OK || o.code == ONC_INVALID_ARGUMENT || o.code == ONC_UNIMPLEMENTED));
    REQUIRE((o.code == ONC_OK || o.text.front() == '['));
    ++(plan != nullptr ? plans : errors);
    if (plan != nullptr) try_run(dice, f, d, plan);
    f.api.plan_free(plan);
  }
  // Both happen often, or the fuzzer plays a game without risk.
  CHECK(plans > n / 20);
  CHECK(errors > n / 20);
}

TEST_CASE("random tapes") {
  const Fixture f;
  uint64_t plans = 0;
  const uint64_t n = rounds(10000);
  for (uint64_t round = 0; round < n; ++round) {
    CAPTURE(round);
    Dice dice(round + 1'000'000'007);
    Descriptor d = dice.one_in(3) ? valid::foreach () : dice.one_in(2) ? valid::expr() : valid::expr_reduction();
    d.n_scalars = 4;
    d.n_tensor_scalars = 4;
    // Instructions are drawn until one is accepted, so that tapes grow beyond their first lines.
    const size_t length = d.insts.size() + dice.below(8);
    for (int tries = 0; d.insts.size() < length && tries < 60; ++tries) {
      d.insts.push_back(random_inst(dice));
      if (d.plan(f).code != ONC_OK) d.insts.pop_back();
    }
    REQUIRE(d.plan(f).code == ONC_OK);
    d.outs[0] = static_cast<uint16_t>(d.insts.size() - 1);
    onc_plan* plan = nullptr;
    const Outcome o = d.plan(f, &plan);
    REQUIRE((o.code == ONC_OK || o.code == ONC_INVALID_ARGUMENT));
    plans += plan != nullptr ? 1 : 0;
    f.api.plan_free(plan);
  }
  CHECK(plans > n / 20);
}

TEST_CASE("random ranges") {
  const Fixture f;
  unsigned char host[Fixture::kBytes] = {};
  Dice dice(7);
  uint64_t maps = 0;
  const uint64_t n = rounds(10000);
  for (uint64_t round = 0; round < n; ++round) {
    const auto offset = [&] { return dice.one_in(3) ? static_cast<uint64_t>(dice.number()) : dice.below(Fixture::kBytes + 64); };
    const onc_arg dst{dice.one_in(16) ? nullptr : f.buffer, offset()}, src{f.buffer, offset()};
    const uint64_t bytes = offset();
    const auto small = static_cast<uint32_t>(dice.below(18));
    void* mapped = nullptr;
    outcome(f.api.copy_h2d(f.queue, dst, host, bytes, small % 4));
    outcome(f.api.copy_d2h(f.queue, host, src, bytes, small % 4));
    outcome(f.api.copy_d2d(f.queue, dst, src, bytes));
    outcome(f.api.fill(f.queue, dst, bytes, host, small));
    const Outcome o = outcome(f.api.buffer_map(f.queue, dst, bytes, small % 5, &mapped));
    REQUIRE((o.code == ONC_OK) == (mapped != nullptr));
    maps += mapped != nullptr ? 1 : 0;
  }
  CHECK(maps > n / 20);
}
