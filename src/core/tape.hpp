// Builds tapes for EXPR and FOREACH with ordinary expressions: Value overloads the operators, and every row of elementwise.def is a
// function of its name. The same names exist for double (scalar_math.hpp), so that one text can be a tape or a number.
//
//   Tape t;
//   Value x = t.input(ONC_F32), y = t.input(ONC_F32), alpha = t.scalar(ONC_F32);
//   t.output(x + alpha * y);
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "oncilla/attrs.h"

namespace oncilla {

class Tape;

// The dtype in which a storage dtype is computed: F16 and BF16 in F32, U8, I8 and I16 in I32.
uint32_t compute_dtype(uint32_t dtype);

class Value {
 public:
  Value() = default;
  Value(Tape* tape, uint16_t number, uint16_t dtype) : tape(tape), number(number), dtype(dtype) {}
  Tape* tape = nullptr;
  uint16_t number = 0, dtype = 0;
};

// An input that is read by position, not element by element: one-dimensional and contiguous, of any size.
struct Table {
  Tape* tape = nullptr;
  uint16_t input = 0, dtype = 0;  // the dtype of its values
};

class Tape {
 public:
  Tape() { insts_.reserve(8); }  // most tapes are short, and an eager op writes one each time
  // Numbers are given in the order of the calls. Each returns a value of compute_dtype(dtype).
  Value input(uint32_t dtype);
  Table table(uint32_t dtype);                // the next input, as a table
  Value gather(Table table, Value position);  // position I32 or I64; outside the table: NaN, 0 where not floating
  Value scalar(uint32_t dtype);               // the next shared run-time scalar
  Value tensor_scalar(uint32_t dtype);        // FOREACH: the next per-tensor scalar
  Value constant(uint32_t dtype, double value);
  Value constant_int(uint32_t dtype, int64_t value);
  Value coord(uint32_t dim, uint32_t dtype = ONC_I64);
  // Two shared I64 scalars (key, offset) are taken at the first call; word 0 ... 3.
  Value philox(uint32_t word);
  Value cast(Value a, uint32_t dtype);
  Value where(Value condition, Value b, Value c);
  Value apply(uint32_t opcode, Value a, Value b = {}, Value c = {});
  Value reduce(uint32_t opcode, Value a);  // ONC_EX_REDUCE_*
  void output(Value a);
  void set_outputs(std::span<const uint16_t> values);  // instead of those so far

  // Appends another tape of elementwise instructions, whose inputs are these values of mine and whose scalars follow mine. Returns
  // the values of its outputs, which are not outputs of this tape.
  std::vector<Value> splice(const Tape& other, std::span<const Value> inputs);
  bool can_splice() const;             // it has such instructions only
  bool same(const Tape& other) const;  // instructions and outputs

  uint32_t n_inputs() const { return n_inputs_; }
  uint32_t n_scalars() const { return n_scalars_; }
  uint32_t n_tensor_scalars() const { return n_tensor_scalars_; }
  const std::vector<onc_expr_inst>& insts() const { return insts_; }
  const std::vector<uint16_t>& outs() const { return outs_; }

 private:
  Value push(onc_expr_inst inst);
  std::vector<onc_expr_inst> insts_;
  std::vector<uint16_t> outs_;
  uint32_t n_inputs_ = 0, n_scalars_ = 0, n_tensor_scalars_ = 0;
  int philox_key_ = -1;
};

Value operator+(Value a, Value b);
Value operator-(Value a, Value b);
Value operator*(Value a, Value b);
Value operator/(Value a, Value b);
Value operator-(Value a);
// A plain number takes the other operand's dtype.
Value operator+(Value a, double b);
Value operator-(Value a, double b);
Value operator*(Value a, double b);
Value operator/(Value a, double b);
Value operator+(double a, Value b);
Value operator-(double a, Value b);
Value operator*(double a, Value b);
Value operator/(double a, Value b);
Value where(Value condition, Value b, Value c);

#define ONC_TAPE_ARGS_1 Value a
#define ONC_TAPE_ARGS_2 Value a, Value b
#define ONC_TAPE_ARGS_3 Value a, Value b, Value c
#define ONC_TAPE_PASS_1 a
#define ONC_TAPE_PASS_2 a, b
#define ONC_TAPE_PASS_3 a, b, c
#define ONC_EW(number, NAME, name, arity, ...) \
  inline Value name(ONC_TAPE_ARGS_##arity) { return a.tape->apply(number, ONC_TAPE_PASS_##arity); }
#include "oncilla/elementwise.def"
#undef ONC_EW

}  // namespace oncilla
