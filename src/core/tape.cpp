// Tape building (tape.hpp): each call appends one instruction, after a check that names what does not fit, so that a mistake shows
// where the expression is written and not where it is planned.
#include "core/tape.hpp"

#include <algorithm>
#include <cstring>

#include "oncilla/oncilla.h"

namespace oncilla {
namespace {

struct Row {
  const char* name;
  uint32_t arity;
  bool boolean;  // the result
};

bool row(uint32_t opcode, Row& out) {
  enum { same, boolean };
  switch (opcode) {
#define ONC_EW(number, NAME, name, arity, result, ...) \
  case number:                                         \
    out = {#name, arity, result == boolean};           \
    return true;
#include "oncilla/elementwise.def"
#undef ONC_EW
    default:
      return false;
  }
}

[[noreturn]] void fail(const std::string& message) { throw Error(ONC_INVALID_ARGUMENT, "[tape] " + message); }

struct Dtype {
  uint32_t number;
};

std::string str(const char* text) { return text; }
std::string str(uint32_t number) { return std::to_string(number); }
std::string str(double number) { return std::to_string(number); }
std::string str(Dtype dtype) {
  switch (dtype.number) {
#define ONC_DTYPE(number, NAME, name, ...) \
  case number:                             \
    return #name;
#include "oncilla/dtypes.def"
#undef ONC_DTYPE
    default:
      return "dtype " + std::to_string(dtype.number);
  }
}

// The message is joined where it is needed only: tapes are written anew at every call of an eager op.
template <class... Parts>
void require(bool holds, const Parts&... message) {
  if (!holds) [[unlikely]]
    fail((str(message) + ...));
}

bool floating(uint32_t dtype) { return dtype == ONC_F32 || dtype == ONC_F64; }

onc_expr_inst inst(uint32_t op, uint32_t dtype, uint32_t a = 0, uint32_t b = 0, uint32_t c = 0) {
  onc_expr_inst result;
  std::memset(&result, 0, sizeof(result));  // the padding too: instructions become part of keys
  result.op = static_cast<uint16_t>(op);
  result.dtype = static_cast<uint16_t>(dtype);
  result.a = static_cast<uint16_t>(a);
  result.b = static_cast<uint16_t>(b);
  result.c = static_cast<uint16_t>(c);
  return result;
}

// How many values an elementwise instruction, a number or an input takes; -1: another kind of instruction.
int operands_of(uint32_t opcode) {
  Row found{};
  switch (opcode) {
    case ONC_EX_INPUT:
    case ONC_EX_SCALAR:
    case ONC_EX_TENSOR_SCALAR:
    case ONC_EX_CONST:
      return 0;
    case ONC_EX_CAST:
      return 1;
    case ONC_EX_WHERE:
      return 3;
    default:
      return row(opcode, found) ? static_cast<int>(found.arity) : -1;
  }
}

Tape& tape_of(Value a) {
  require(a.tape != nullptr, "an operand is an empty Value");
  return *a.tape;
}

}  // namespace

uint32_t compute_dtype(uint32_t dtype) {
  switch (dtype) {
    case ONC_F16:
    case ONC_BF16:
      return ONC_F32;
    case ONC_U8:
    case ONC_I8:
    case ONC_I16:
      return ONC_I32;
    case ONC_F32:
    case ONC_F64:
    case ONC_I32:
    case ONC_I64:
    case ONC_BOOL:
      return dtype;
    default:
      fail(str(Dtype{dtype}) + " is no dtype");
  }
}

Value Tape::push(onc_expr_inst instruction) {
  require(insts_.size() < 65535, "more than 65535 instructions");
  insts_.push_back(instruction);
  return Value(this, static_cast<uint16_t>(insts_.size() - 1), instruction.dtype);
}

Value Tape::input(uint32_t dtype) { return push(inst(ONC_EX_INPUT, compute_dtype(dtype), n_inputs_++)); }
Table Tape::table(uint32_t dtype) {
  return {this, static_cast<uint16_t>(n_inputs_++), static_cast<uint16_t>(compute_dtype(dtype))};
}

Value Tape::gather(Table table, Value position) {
  require(table.tape == this && position.tape == this, "gather: an operand belongs to another tape, or is missing");
  require(position.dtype == ONC_I32 || position.dtype == ONC_I64, "gather: the position is ", Dtype{position.dtype},
          ", not int32 or int64");
  return push(inst(ONC_EX_GATHER, table.dtype, table.input, position.number));
}

Value Tape::scalar(uint32_t dtype) { return push(inst(ONC_EX_SCALAR, compute_dtype(dtype), n_scalars_++)); }
Value Tape::tensor_scalar(uint32_t dtype) { return push(inst(ONC_EX_TENSOR_SCALAR, compute_dtype(dtype), n_tensor_scalars_++)); }

Value Tape::constant(uint32_t dtype, double value) {
  onc_expr_inst result = inst(ONC_EX_CONST, compute_dtype(dtype));
  if (floating(result.dtype)) {
    result.imm.f = value;
  } else if (result.dtype == ONC_BOOL) {
    result.imm.i = value != 0;
  } else {
    require(value >= -9223372036854775808.0 && value < 9223372036854775808.0, "constant ", value, " is no ", Dtype{dtype});
    result.imm.i = static_cast<int64_t>(value);
  }
  return push(result);
}

Value Tape::constant_int(uint32_t dtype, int64_t value) {
  onc_expr_inst result = inst(ONC_EX_CONST, compute_dtype(dtype));
  if (floating(result.dtype)) {
    result.imm.f = static_cast<double>(value);
  } else {
    result.imm.i = result.dtype == ONC_BOOL ? value != 0 : value;
  }
  return push(result);
}

Value Tape::coord(uint32_t dim, uint32_t dtype) {
  require(dtype == ONC_I32 || dtype == ONC_I64, "a coordinate is int32 or int64, not ", Dtype{dtype});
  return push(inst(ONC_EX_COORD, dtype, dim));
}

Value Tape::philox(uint32_t word) {
  require(word < 4, "philox word ", word, " of 4");
  if (philox_key_ < 0) {
    philox_key_ = static_cast<int>(n_scalars_);
    n_scalars_ += 2;
  }
  return push(inst(ONC_EX_PHILOX, ONC_I64, philox_key_, philox_key_ + 1, word));
}

Value Tape::cast(Value a, uint32_t dtype) {
  require(a.tape == this, "cast: the operand belongs to another tape");
  const uint32_t to = compute_dtype(dtype);
  return a.dtype == to ? a : push(inst(ONC_EX_CAST, to, a.number));
}

Value Tape::where(Value condition, Value b, Value c) {
  require(condition.tape == this && b.tape == this && c.tape == this, "where: an operand belongs to another tape");
  require(condition.dtype == ONC_BOOL, "where: the condition is ", Dtype{condition.dtype}, ", not bool");
  require(b.dtype == c.dtype, "where: ", Dtype{b.dtype}, " and ", Dtype{c.dtype}, " differ");
  return push(inst(ONC_EX_WHERE, b.dtype, condition.number, b.number, c.number));
}

Value Tape::apply(uint32_t opcode, Value a, Value b, Value c) {
  Row found{};
  require(row(opcode, found), "no elementwise op has the number ", opcode);
  const Value operands[] = {a, b, c};
  for (uint32_t i = 0; i < 3; ++i) {
    if (i >= found.arity) {
      require(operands[i].tape == nullptr, found.name, ": takes ", found.arity, " operands");
      continue;
    }
    require(operands[i].tape == this, found.name, ": operand ", i, " belongs to another tape, or is missing");
    require(operands[i].dtype == a.dtype, found.name, ": operands are ", Dtype{a.dtype}, " and ", Dtype{operands[i].dtype});
  }
  return push(inst(opcode, found.boolean ? static_cast<uint32_t>(ONC_BOOL) : a.dtype, a.number, b.number, c.number));
}

Value Tape::reduce(uint32_t opcode, Value a) {
  require(a.tape == this, "reduce: the operand belongs to another tape");
  require(opcode >= ONC_EX_REDUCE_SUM && opcode <= ONC_EX_REDUCE_ARGMAX, opcode, " is no reduction");
  const bool logical = opcode == ONC_EX_REDUCE_ANY || opcode == ONC_EX_REDUCE_ALL;
  const bool position = opcode == ONC_EX_REDUCE_ARGMIN || opcode == ONC_EX_REDUCE_ARGMAX;
  require(!logical || a.dtype == ONC_BOOL, "reduce any and all take bool, not ", Dtype{a.dtype});
  return push(inst(opcode, position ? static_cast<uint32_t>(ONC_I64) : a.dtype, a.number));
}

void Tape::output(Value a) {
  require(a.tape == this, "output: the value belongs to another tape");
  outs_.push_back(a.number);
}

void Tape::set_outputs(std::span<const uint16_t> values) {
  for (const uint16_t value : values) require(value < insts_.size(), "output: there is no value ", uint32_t{value});
  outs_.assign(values.begin(), values.end());
}

bool Tape::can_splice() const {
  return std::all_of(insts_.begin(), insts_.end(), [](const onc_expr_inst& i) { return operands_of(i.op) >= 0; });
}

bool Tape::same(const Tape& other) const {
  return outs_ == other.outs_ && insts_.size() == other.insts_.size() &&
         (insts_.empty() || std::memcmp(insts_.data(), other.insts_.data(), insts_.size() * sizeof(onc_expr_inst)) == 0);
}

std::vector<Value> Tape::splice(const Tape& other, std::span<const Value> inputs) {
  require(inputs.size() == other.n_inputs_, "splice: ", uint32_t(inputs.size()), " values for ", other.n_inputs_, " inputs");
  std::vector<uint16_t> at;
  at.reserve(other.insts_.size());
  for (const onc_expr_inst& given : other.insts_) {
    if (given.op == ONC_EX_INPUT) {
      const Value value = inputs[given.a];
      require(value.tape == this && value.dtype == given.dtype, "splice: input ", uint32_t{given.a}, " is ", Dtype{given.dtype},
              ", and its value ", Dtype{value.dtype}, " or of another tape");
      at.push_back(value.number);
      continue;
    }
    const int operands = operands_of(given.op);
    require(operands >= 0, "splice: instruction ", uint32_t{given.op}, " is not elementwise");
    onc_expr_inst copy = given;
    if (given.op == ONC_EX_SCALAR) copy.a = static_cast<uint16_t>(given.a + n_scalars_);
    if (given.op == ONC_EX_TENSOR_SCALAR) copy.a = static_cast<uint16_t>(given.a + n_tensor_scalars_);
    if (operands > 0) copy.a = at[given.a];
    if (operands > 1) copy.b = at[given.b];
    if (operands > 2) copy.c = at[given.c];
    at.push_back(push(copy).number);
  }
  n_scalars_ += other.n_scalars_;
  n_tensor_scalars_ += other.n_tensor_scalars_;
  std::vector<Value> made;
  for (const uint16_t out : other.outs_) made.emplace_back(this, at[out], insts_[at[out]].dtype);
  return made;
}

Value operator+(Value a, Value b) { return tape_of(a).apply(ONC_EX_ADD, a, b); }
Value operator-(Value a, Value b) { return tape_of(a).apply(ONC_EX_SUB, a, b); }
Value operator*(Value a, Value b) { return tape_of(a).apply(ONC_EX_MUL, a, b); }
Value operator/(Value a, Value b) { return tape_of(a).apply(ONC_EX_DIV, a, b); }
Value operator-(Value a) { return tape_of(a).apply(ONC_EX_NEG, a); }
Value operator+(Value a, double b) { return a + tape_of(a).constant(a.dtype, b); }
Value operator-(Value a, double b) { return a - tape_of(a).constant(a.dtype, b); }
Value operator*(Value a, double b) { return a * tape_of(a).constant(a.dtype, b); }
Value operator/(Value a, double b) { return a / tape_of(a).constant(a.dtype, b); }
Value operator+(double a, Value b) { return tape_of(b).constant(b.dtype, a) + b; }
Value operator-(double a, Value b) { return tape_of(b).constant(b.dtype, a) - b; }
Value operator*(double a, Value b) { return tape_of(b).constant(b.dtype, a) * b; }
Value operator/(double a, Value b) { return tape_of(b).constant(b.dtype, a) / b; }
Value where(Value condition, Value b, Value c) { return tape_of(condition).where(condition, b, c); }

}  // namespace oncilla
