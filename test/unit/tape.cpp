// Tapes: the instructions that expressions become, and mistakes that are named where they are written.
#include "core/tape.hpp"

#include <doctest/doctest.h>

#include <cstring>

using namespace oncilla;

TEST_CASE("tape: an expression is its instructions in order") {
  Tape tape;
  const Value x = tape.input(ONC_F32), y = tape.input(ONC_BF16), alpha = tape.scalar(ONC_F64);
  CHECK(y.dtype == ONC_F32);
  tape.output(where(gt(x, y), x + 2.0 * y, tape.cast(alpha, ONC_F16)));
  const auto& insts = tape.insts();
  const uint16_t ops[] = {ONC_EX_INPUT, ONC_EX_INPUT, ONC_EX_SCALAR};
  for (size_t i = 0; i < 3; ++i) CHECK(insts[i].op == ops[i]);
  CHECK(insts[1].a == 1);
  REQUIRE(insts.size() == 9);
  CHECK(insts.back().op == ONC_EX_WHERE);
  CHECK(insts.back().dtype == ONC_F32);
  CHECK(insts[insts.back().a].op == ONC_EX_GT);
  CHECK(insts[insts.back().a].dtype == ONC_BOOL);
  CHECK(insts[insts.back().b].op == ONC_EX_ADD);
  CHECK(insts[insts.back().c].op == ONC_EX_CAST);
  CHECK(tape.outs() == std::vector<uint16_t>{8});
  CHECK(tape.n_inputs() == 2);
  CHECK(tape.n_scalars() == 1);
}

TEST_CASE("tape: constants take the type of what they meet") {
  Tape tape;
  CHECK(tape.constant(ONC_F16, 0.5).dtype == ONC_F32);
  CHECK(tape.insts().back().imm.f == 0.5);
  tape.constant(ONC_I64, -3.0);
  CHECK(tape.insts().back().imm.i == -3);
  tape.constant(ONC_BOOL, 7);
  CHECK(tape.insts().back().imm.i == 1);
  tape.constant_int(ONC_I64, INT64_MIN);
  CHECK(tape.insts().back().imm.i == INT64_MIN);
  tape.constant_int(ONC_F64, 3);
  CHECK(tape.insts().back().imm.f == 3.0);
  const Value i = tape.input(ONC_U8);
  CHECK((i + 1.0).dtype == ONC_I32);
  CHECK((2.0 - i).dtype == ONC_I32);
  CHECK_THROWS_AS(tape.constant(ONC_I64, 1e19), Error);
}

TEST_CASE("tape: the generator's two scalars are taken once, after those before them") {
  Tape tape;
  tape.scalar(ONC_F32);
  tape.philox(2);
  CHECK(tape.insts().back().a == 1);
  CHECK(tape.insts().back().b == 2);
  CHECK(tape.insts().back().c == 2);
  tape.philox(3);
  CHECK(tape.insts().back().a == 1);
  CHECK(tape.n_scalars() == 3);
  tape.scalar(ONC_F32);
  CHECK(tape.insts().back().a == 3);
  CHECK_THROWS_AS(tape.philox(4), Error);
}

namespace {

struct Row {
  uint16_t opcode;
  uint32_t arity;
  bool boolean;
  Value (*function)(Value, Value, Value);
};

}  // namespace

TEST_CASE("tape: every row of elementwise.def is a function, with its arity and result") {
  enum { same, boolean };
#define ONC_CALL_1(name) name(a)
#define ONC_CALL_2(name) name(a, b)
#define ONC_CALL_3(name) name(a, b, c)
#define ONC_EW(opcode, NAME, name, arity, result, ...) \
  {ONC_EX_##NAME, arity, result == boolean,            \
   [](Value a, [[maybe_unused]] Value b, [[maybe_unused]] Value c) { return ONC_CALL_##arity(name); }},
  const Row rows[] = {
#include "oncilla/elementwise.def"
  };
#undef ONC_EW
  Tape tape;
  const Value a = tape.input(ONC_F64), b = tape.input(ONC_F64), c = tape.input(ONC_F64);
  for (const Row& row : rows) {
    CAPTURE(row.opcode);
    const Value value = row.function(a, b, c);
    const onc_expr_inst& inst = tape.insts().back();
    CHECK(value.dtype == (row.boolean ? ONC_BOOL : ONC_F64));
    CHECK(inst.op == row.opcode);
    CHECK(inst.b == (row.arity > 1 ? b.number : 0));
    CHECK(inst.c == (row.arity > 2 ? c.number : 0));
    CHECK(value.number + 1u == tape.insts().size());
  }
}

TEST_CASE("tape: reductions") {
  Tape tape;
  const Value x = tape.input(ONC_F32), flag = tape.input(ONC_BOOL);
  CHECK(tape.reduce(ONC_EX_REDUCE_SUM, x).dtype == ONC_F32);
  CHECK(tape.reduce(ONC_EX_REDUCE_ARGMAX, x).dtype == ONC_I64);
  CHECK(tape.reduce(ONC_EX_REDUCE_ALL, flag).dtype == ONC_BOOL);
  CHECK_THROWS_WITH_AS(tape.reduce(ONC_EX_REDUCE_ANY, x), doctest::Contains("float32"), Error);
  CHECK_THROWS_AS(tape.reduce(ONC_EX_ADD, x), Error);
}

TEST_CASE("tape: mistakes are named") {
  Tape tape, other;
  const Value x = tape.input(ONC_F32), i = tape.input(ONC_I64), foreign = other.input(ONC_F32);
  CHECK_THROWS_WITH_AS(x + i, "[tape] add: operands are float32 and int64", Error);
  CHECK_THROWS_WITH_AS(x + foreign, "[tape] add: operand 1 belongs to another tape, or is missing", Error);
  CHECK_THROWS_WITH_AS(where(x, x, x), "[tape] where: the condition is float32, not bool", Error);
  CHECK_THROWS_WITH_AS(where(gt(x, x), x, i), "[tape] where: float32 and int64 differ", Error);
  CHECK_THROWS_AS(Value() + x, Error);
  CHECK_THROWS_WITH_AS(tape.apply(99, x), "[tape] no elementwise op has the number 99", Error);
  CHECK_THROWS_WITH_AS(tape.apply(ONC_EX_NEG, x, x), "[tape] neg: takes 1 operands", Error);
  CHECK_THROWS_WITH_AS(tape.input(77), "[tape] dtype 77 is no dtype", Error);
  CHECK_THROWS_AS(tape.output(foreign), Error);
  CHECK_THROWS_AS(tape.cast(foreign, ONC_F64), Error);
  CHECK_THROWS_AS(tape.coord(0, ONC_F32), Error);
}

TEST_CASE("tape: another tape's instructions over this one's values") {
  Tape inner;
  const Value x = inner.input(ONC_F32), y = inner.input(ONC_F32);
  const Value sum = x * inner.scalar(ONC_F32) + inner.cast(inner.tensor_scalar(ONC_I32), ONC_F32);
  inner.output(where(lt(sum, y), inner.constant(ONC_F32, 3), sum));
  inner.output(x);

  Tape outer;
  const Value a = outer.input(ONC_F32);
  const Value b = a * outer.scalar(ONC_F32) * outer.tensor_scalar(ONC_F32);
  const std::vector<Value> made = outer.splice(inner, std::vector<Value>{b, a});
  REQUIRE(made.size() == 2);
  CHECK(made[1].number == b.number);
  CHECK(outer.n_inputs() == 1);
  CHECK(outer.n_scalars() == 2);
  CHECK(outer.n_tensor_scalars() == 2);
  CHECK(outer.outs().empty());
  // The same, written at once.
  Tape whole;
  const Value u = whole.input(ONC_F32);
  const Value v = u * whole.scalar(ONC_F32) * whole.tensor_scalar(ONC_F32);
  const Value total = v * whole.scalar(ONC_F32) + whole.cast(whole.tensor_scalar(ONC_I32), ONC_F32);
  const Value last = where(lt(total, u), whole.constant(ONC_F32, 3), total);
  CHECK(made[0].number == last.number);
  REQUIRE(outer.insts().size() == whole.insts().size());
  CHECK(std::memcmp(outer.insts().data(), whole.insts().data(), outer.insts().size() * sizeof(onc_expr_inst)) == 0);

  CHECK_THROWS_WITH(outer.splice(inner, std::vector<Value>{b}), doctest::Contains("1 values for 2 inputs"));
  CHECK_THROWS_WITH(outer.splice(inner, std::vector<Value>{b, outer.constant(ONC_F64, 1)}),
                    doctest::Contains("input 1 is float32"));
  Tape drawn;
  drawn.output(drawn.philox(0));
  CHECK(!drawn.can_splice());
  CHECK_THROWS_WITH(outer.splice(drawn, {}), doctest::Contains("not elementwise"));
  CHECK_THROWS_WITH(outer.set_outputs(std::vector<uint16_t>{1000}), doctest::Contains("no value 1000"));
}
